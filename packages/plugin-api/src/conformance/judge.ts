import { judgedChecks } from '@almanac/documents'
import { canonicalJson, type RunPackage } from '@almanac/domain'
import assert from 'node:assert/strict'
import type { JudgeHook } from '../hooks.ts'
import { assertPure, assertTimeless, check, copyOf, type Check } from './check.ts'
import { sampleDocuments, type Sample } from './samples.ts'

/**
 * What every judge holds to: few questions, made from the specification and nothing else. A judge of a
 * plugin's own kind needs `samples` of that kind.
 */
export function judgeConformance(
  judge: JudgeHook,
  samples: readonly Sample[] = sampleDocuments().filter(({ kind }) => kind === judge.kind),
): Check[] {
  const checklist = judge.checklist.bind(judge)
  const each = (test: (runPackage: RunPackage, name: string) => Promise<void>) => async () => {
    assert.ok(samples.length > 0, `there are no samples of the kind ${judge.kind}`)
    for (const { name, input } of samples) await test(input.package, name)
  }
  return [
    check('weighs above 0, and at most 0.5', () => {
      assert.ok(judge.weight > 0 && judge.weight <= 0.5, `its weight is ${judge.weight}`)
    }),
    check(
      'asks 1 to 20 questions of one line, each with an id of its own',
      each(async (runPackage, name) => {
        const checks = judgedChecks.parse(await checklist({ package: copyOf(runPackage) }))
        for (const { id, question } of checks)
          assert.match(question, /\?$/, `${name}: ${id} is no question`)
      }),
    ),
    check(
      'is a pure function: equal input, equal answer, and the input stays as it is',
      each(async (runPackage, name) => {
        await assertPure(checklist, { package: runPackage }, name)
        await assertTimeless(() => checklist({ package: runPackage }), name)
      }),
    ),
    check(
      'asks something else where the specification wants something else',
      each(async (runPackage, name) => {
        const [one, other] = [runPackage, withOtherWishes(runPackage)]
        const asked = canonicalJson(await checklist({ package: one }))
        assert.notEqual(canonicalJson(await checklist({ package: other })), asked, name)
      }),
    ),
  ]
}

function withOtherWishes(runPackage: RunPackage): RunPackage {
  const { specification, scope } = runPackage
  const { body } = specification
  const title = 'Bees in the city'
  const wishes =
    body.kind === 'workflow'
      ? { purpose: 'Keep bees in the city', audience: 'Beginners', style: 'Friendly' }
      : { deliverables: body.deliverables.slice(0, 1), regions: body.regions.slice(0, 1) }
  return {
    ...runPackage,
    specification: { ...specification, body: { ...body, title, ...wishes } as typeof body },
    scope: scope && {
      ...scope,
      deliverables: scope.deliverables.slice(0, 1),
      regions: scope.regions.slice(0, 1),
    },
  }
}
