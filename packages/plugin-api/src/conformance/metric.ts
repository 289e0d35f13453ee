import { fixturePackage, renderInput } from '@almanac/documents/samples'
import assert from 'node:assert/strict'
import type { MetricHook, MetricInput } from '../hooks.ts'
import { assertPure, assertTimeless, check, type Check } from './check.ts'
import { sampleDocuments, saidTwice, type Sample } from './samples.ts'

const inputOf = ({ input: { content, package: runPackage, findings } }: Pick<Sample, 'input'>) =>
  ({ content, package: runPackage, findings }) satisfies MetricInput

/**
 * What every metric holds to: a number from 0 to 1 with reasons, pure, and nothing to gain by saying
 * things twice. A metric of a plugin's own kind needs `samples` of that kind.
 */
export function metricConformance(
  metric: MetricHook,
  samples: readonly Sample[] = sampleDocuments().filter(({ kind }) => kind === metric.kind),
): Check[] {
  const each = (test: (input: MetricInput, name: string) => Promise<void>) => async () => {
    assert.ok(samples.length > 0, `there are no samples of the kind ${metric.kind}`)
    for (const sample of samples) await test(inputOf(sample), sample.name)
  }
  return [
    check('weighs above 0, and at most 0.5', () => {
      assert.ok(metric.weight > 0 && metric.weight <= 0.5, `its weight is ${metric.weight}`)
    }),
    check(
      'measures from 0 to 1, and says in single lines what lowers a measure',
      each(async (input, name) => {
        const { value, reasons } = await metric.measure(input)
        assert.ok(value >= 0 && value <= 1, `${name}: ${value} is not from 0 to 1`)
        assert.ok(value === 1 || reasons.length > 0, `${name}: ${value} has no reason`)
        assert.ok(reasons.length <= 20, `${name}: more than 20 reasons`)
        for (const reason of reasons)
          assert.match(reason, /^(?!\s)[^\n\r]{1,500}(?<!\s)$/, `${name}: a reason is one line`)
      }),
    ),
    check(
      'is a pure function: equal input, equal answer, and the input stays as it is',
      each(async (input, name) => {
        await assertPure(metric.measure.bind(metric), input, name)
      }),
    ),
    check(
      'asks neither a clock nor dice',
      each((input, name) => assertTimeless(() => metric.measure(input), name)),
    ),
    check('does not rise when everything is said twice', async () => {
      if (metric.kind !== 'report') return
      const once = renderInput(fixturePackage())
      const before = await metric.measure(inputOf({ input: once }))
      const after = await metric.measure(inputOf({ input: saidTwice(once) }))
      assert.ok(after.value <= before.value, `it rises from ${before.value} to ${after.value}`)
    }),
  ]
}
