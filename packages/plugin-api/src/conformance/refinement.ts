import { canonicalJson, type OutlineElement } from '@almanac/domain'
import assert from 'node:assert/strict'
import type {
  MergeHook,
  MergeInput,
  TerminationHook,
  TerminationInput,
  VariantHook,
  VariantInput,
} from '../hooks.ts'
import { assertPure, assertTimeless, check, type Check } from './check.ts'
import { sampleDocuments, sampleKinds, type Sample } from './samples.ts'

const variantInput = ({ kind, input }: Sample, count: number): VariantInput => ({
  evaluation: input.evaluation,
  findings: input.findings,
  outline: sampleKinds.get(kind === 'workflow' ? 'workflow' : 'report').outline(input.content),
  count,
})

/** What every variant strategy holds to: few, different briefs, each of something that is wrong. */
export function variantConformance(strategy: VariantHook): Check[] {
  const briefs = strategy.briefs.bind(strategy)
  const spoilt = sampleDocuments().filter(({ name }) => name.includes('defects'))
  const counts = [1, 2, 3, 6]
  const each = (test: (input: VariantInput) => void | Promise<void>) => async () => {
    for (const sample of spoilt) for (const n of counts) await test(variantInput(sample, n))
  }
  return [
    check(
      'is a pure function: equal input, equal answer, and the input stays as it is',
      each(async (input) => {
        await assertPure(briefs, input, strategy.name)
        await assertTimeless(() => briefs(input), strategy.name)
      }),
    ),
    check(
      'gives at most as many briefs as it is asked for, and at least one where something is wrong',
      each(async (input) => {
        const { length } = await briefs(input)
        assert.ok(length >= 1 && length <= input.count, `${length} briefs of ${input.count}`)
      }),
    ),
    check(
      'gives briefs that differ, each with something to close',
      each(async (input) => {
        const given = await briefs(input)
        assert.equal(new Set(given.map(canonicalJson)).size, given.length, 'two briefs are equal')
        for (const { task, findings, checks } of given) {
          assert.ok(task.trim() !== '', 'a task is blank')
          assert.ok(findings.length + checks.length > 0, 'a brief names nothing to close')
        }
      }),
    ),
    check(
      'names no finding and no check that the document does not have',
      each(async (input) => {
        const found = new Set(input.findings.map(canonicalJson))
        const failed = new Map(
          input.evaluation.metrics.map(({ name, reasons }) => [name, new Set(reasons)]),
        )
        for (const { findings, checks } of await briefs(input)) {
          for (const one of findings)
            assert.ok(found.has(canonicalJson(one)), `${one.code} is not of the document`)
          for (const { metric, reason } of checks)
            assert.ok(
              failed.get(metric)?.has(reason),
              `${metric}: ${reason} is not of the document`,
            )
        }
      }),
    ),
    check('has no brief for a document without findings and failed checks', async () => {
      const clean = sampleDocuments().find(
        ({ input: { findings, evaluation } }) =>
          findings.length === 0 && evaluation.metrics.every(({ value }) => value === 1),
      )
      assert.ok(clean, 'there is no clean sample')
      assert.deepEqual(await briefs(variantInput(clean, 3)), [])
    }),
  ]
}

/** Versions of the sample report, each with another change. */
export function sampleMerge(): MergeInput {
  const kind = sampleKinds.get('report')
  const [clean] = sampleDocuments()
  if (!clean) throw new Error('there are no samples')
  const { package: runPackage, content } = clean.input
  const ancestor = kind.outline(content)
  const bare = ancestor.map(({ level, id, parentId, value }) => ({ level, id, parentId, value }))
  const items = bare.filter(({ level }) => level === 'item')
  const changed = (id: string | undefined, text: string): OutlineElement[] =>
    bare.map((one) => (one.id === id ? { ...one, value: { ...one.value, text } } : one))
  const without = (id: string | undefined) => bare.filter((one) => one.id !== id)
  const versions = [
    changed(items[0]?.id, 'The agency published the document in shorter words.'),
    changed(items[1]?.id, 'The agency published the other document in shorter words.'),
    without(items[2]?.id),
  ]
  return {
    ancestor,
    decay: 0.05,
    variants: versions.map((elements, i) => {
      const made = kind.compose(elements)
      const findings = kind.validate(made, runPackage)
      const { score } = kind.evaluate(made, runPackage, findings)
      return { id: `v${i + 1}`, depth: 1, outline: kind.outline(made), score, findings }
    }),
  }
}

/** What every merge strategy holds to; whether its proposal is taken is for Almanac to judge. */
export function mergeConformance(strategy: MergeHook): Check[] {
  const merge = strategy.merge.bind(strategy)
  const kind = sampleKinds.get('report')
  const compose = (elements: readonly OutlineElement[]) => canonicalJson(kind.compose(elements))
  return [
    check(
      'is a pure function: equal input, equal answer, and the input stays as it is',
      async () => {
        await assertPure(merge, sampleMerge(), strategy.name)
        await assertTimeless(() => merge(sampleMerge()), strategy.name)
      },
    ),
    check('does not depend on the order in which versions arrive', async () => {
      const input = sampleMerge()
      const turned = { ...input, variants: input.variants.toReversed() }
      const [one, other] = [await merge(input), await merge(turned)]
      assert.equal(compose(one.elements), compose(other.elements))
      assert.deepEqual(one.parents.toSorted(), other.parents.toSorted())
    }),
    check('proposes a document of its kind, made of versions that it was given', async () => {
      const input = sampleMerge()
      const { elements, parents } = await merge(input)
      compose(elements)
      assert.ok(parents.length > 0, 'it names no parent')
      const known = input.variants.map(({ id }) => id)
      assert.deepEqual(
        parents.filter((id) => !known.includes(id)),
        [],
      )
      assert.equal(new Set(parents).size, parents.length, 'a parent is named twice')
    }),
    check('leaves one version as it is', async () => {
      const input = sampleMerge()
      for (const variant of input.variants) {
        const { elements, parents } = await merge({ ...input, variants: [variant] })
        assert.equal(compose(elements), compose(variant.outline))
        assert.deepEqual(parents, [variant.id])
      }
    }),
    check('makes of equal versions the same once more', async () => {
      const input = sampleMerge()
      const [first] = input.variants
      if (!first) return
      const twins = [first, { ...first, id: 'v9' }]
      const { elements } = await merge({ ...input, variants: twins })
      assert.equal(compose(elements), compose(first.outline))
    }),
  ]
}

/**
 * What every termination strategy holds to. `stops` is a refinement that it ends, `goesOn` one that it
 * does not: a condition that can never come true, or always does, is none.
 */
export function terminationConformance(
  strategy: TerminationHook,
  { stops, goesOn }: { stops: TerminationInput; goesOn: TerminationInput },
): Check[] {
  const ask = strategy.stops.bind(strategy)
  return [
    check(
      'is a pure function: equal input, equal answer, and the input stays as it is',
      async () => {
        for (const input of [stops, goesOn]) {
          await assertPure(ask, input, strategy.name)
          await assertTimeless(() => ask(input), strategy.name)
        }
      },
    ),
    check('can come true, and then says why in one line', async () => {
      const reason = await ask(stops)
      assert.ok(reason !== null, 'it does not end the refinement that it should end')
      assert.match(reason, /^(?!\s)[^\n\r]{1,500}(?<!\s)$/)
    }),
    check('lets a refinement go on', async () => {
      assert.equal(await ask(goesOn), null)
    }),
  ]
}
