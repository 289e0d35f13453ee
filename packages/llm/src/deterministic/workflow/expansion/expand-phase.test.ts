import {
  complexityOf,
  phasesToExpand,
  workflowKind as kind,
  type Call,
  type WorkflowContent,
} from '@almanac/documents'
import type { RunPackage } from '@almanac/domain'
import { gainOf, merge } from '@almanac/refinement'
import type { EngineRequest } from '@almanac/pipeline'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  fixtureModule,
  workflowPackage,
} from '../../../../../documents/src/fixtures/workflow-package.ts'
import {
  anyWorkflow,
  runPackage as fixturePackage,
} from '../../../../../documents/src/workflow/expansion/testing/any-workflow.ts'
import { createDeterministicEngine } from '../../engine.ts'
import { composeWorkflow } from '../compose-workflow.ts'
import { dividedTasks } from './divide-tasks.ts'
import { expandPhase } from './expand-phase.ts'

function composed(runPackage: RunPackage): WorkflowContent {
  const answers: unknown[] = []
  for (const call of kind.calls(runPackage)) {
    const inputs = answers.map((answer) => JSON.stringify(answer))
    answers.push(composeWorkflow({ package: runPackage, call, inputs }))
  }
  const { content, findings } = kind.read(runPackage, answers)
  if (!content) throw new Error(JSON.stringify(findings))
  return content
}

function judged(runPackage: RunPackage, content: WorkflowContent) {
  const findings = kind.validate(content, runPackage)
  const evaluation = kind.evaluate(content, runPackage, findings)
  return { evaluation, findings, outline: kind.outline(content) }
}

/** Every phase above the limit, expanded by itself. */
function expansionsOf(runPackage: RunPackage, content: WorkflowContent, above: number) {
  return phasesToExpand(content, { above, most: 12, tried: [] }).map(({ id, brief }) => {
    const call: Call = { kind: 'expand', n: 1, part: id, brief, inputHashes: [] }
    const answer = expandPhase({ call, inputs: [JSON.stringify(content)] })
    const replaced = kind.expansion?.replace(runPackage, content, call, answer)
    if (!replaced?.content) throw new Error(JSON.stringify(replaced?.findings))
    return { id, answer, content: replaced.content }
  })
}

const purposes = [
  'Onboard new chemical suppliers and audit their safety data sheets within 30 days',
  'Migrate the billing database to a managed cloud service without downtime by 30 June',
  'Collect customer feedback every month and publish a summary for the product board',
  'Close the monthly accounts',
  'Train volunteers for the food bank and plan the annual conference',
  'Supplier onboarding',
]

describe('an expanded phase', () => {
  it.each(purposes)('is as good as it was, and less complex: %s', (purpose) => {
    const runPackage = workflowPackage({ purpose, modules: [fixtureModule] })
    const content = composed(runPackage)
    const before = judged(runPackage, content)
    for (const above of [5, 8, 10]) {
      const expansions = expansionsOf(runPackage, content, above)
      if (above === 5) expect(expansions.length).toBeGreaterThan(0)
      for (const { id, content: after } of expansions) {
        const now = judged(runPackage, after)
        expect(gainOf(before, now)).toMatchObject({ opened: [] })
        expect(now.evaluation.score).toBeGreaterThanOrEqual(before.evaluation.score)
        const phase = content.phases.find((one) => one.id === id)
        const own = after.phases.filter(({ within = [] }) => within.at(-1)?.id === id)
        expect(own.flatMap(({ tasks }) => tasks)).toEqual(phase?.tasks)
        for (const part of own) expect(complexityOf(after, part).total).toBeLessThanOrEqual(above)
        expect(new Set(own.map(({ name }) => name)).size).toBe(own.length)
      }
    }
  })

  it('becomes as few sub-phases as bring it below the limit, with modules whole where that can be', () => {
    const runPackage = workflowPackage()
    const content = composed(runPackage)
    const [first] = expansionsOf(runPackage, content, 8)
    expect(first?.answer?.phases.map(({ key }) => key)).toEqual([
      'phase-1-admit-1',
      'phase-1-admit-2',
    ])
    expect(first?.content.modules.map(({ id }) => id)).toEqual(content.modules.map(({ id }) => id))
  })

  it('is the same whenever it is asked for', () => {
    const runPackage = workflowPackage()
    const content = composed(runPackage)
    expect(JSON.stringify(expansionsOf(runPackage, content, 5))).toBe(
      JSON.stringify(expansionsOf(runPackage, structuredClone(content), 5)),
    )
  })

  it('can be merged with the others of its generation: every phase is then expanded', () => {
    const runPackage = workflowPackage({ modules: [fixtureModule] })
    const content = composed(runPackage)
    const expansions = expansionsOf(runPackage, content, 8)
    expect(expansions.length).toBeGreaterThan(1)
    const judge = (one: WorkflowContent) => {
      const { evaluation, findings } = judged(runPackage, one)
      return { score: evaluation.score, findings }
    }
    const variants = expansions.map((one) => ({
      ...{ id: `ver_${one.id}`, content: one.content, depth: 1 },
      ...judge(one.content),
    }))
    const merged = merge({ kind, judge }, content, variants, { decay: 0.05 })
    expect(merged.parents).toHaveLength(expansions.length)
    expect(phasesToExpand(merged.content, { above: 8, most: 12, tried: [] })).toEqual([])
    expect(judge(merged.content)).toEqual(judge(content))
    expect(merged.content.phases.map(({ id, within }) => within?.[0]?.id ?? id)).toEqual(
      content.phases.flatMap(({ id }) =>
        expansions.some((one) => one.id === id) ? [id, id] : [id],
      ),
    )
  })
})

describe('the division of any phase', () => {
  it('holds each task once, none before what it needs, in no more groups than there may be', () => {
    fc.assert(
      fc.property(
        anyWorkflow,
        fc.integer({ min: 1, max: 30 }),
        fc.integer({ min: 2, max: 5 }),
        (content, above, most) => {
          for (const phase of content.phases) {
            const groups = dividedTasks(content, phase, { above, most })
            expect(groups === undefined).toBe(phase.tasks.length < 2)
            if (!groups) continue
            expect(groups.length).toBeGreaterThanOrEqual(2)
            expect(groups.length).toBeLessThanOrEqual(most)
            expect(
              groups
                .flat()
                .map(({ id }) => id)
                .sort(),
            ).toEqual(phase.tasks.map(({ id }) => id).sort())
            const whole = complexityOf(content, phase).total
            for (const tasks of groups)
              expect(complexityOf(content, { tasks }).total).toBeLessThan(whole)
          }
        },
      ),
      { numRuns: 200 },
    )
  })

  it('makes an answer that takes the place of the phase', () => {
    fc.assert(
      fc.property(anyWorkflow, fc.integer({ min: 3, max: 30 }), (content, above) => {
        const before = judged(fixturePackage, content)
        for (const { content: after } of expansionsOf(fixturePackage, content, above)) {
          const now = judged(fixturePackage, after)
          expect(now.findings).toEqual([])
          expect(now.evaluation.score).toBeGreaterThanOrEqual(before.evaluation.score)
        }
      }),
      { numRuns: 100 },
    )
  })
})

describe('the engine', () => {
  const runPackage = workflowPackage()
  const content = composed(runPackage)
  const [part] = phasesToExpand(content, { above: 8, most: 1, tried: [] })
  const request = (over: Partial<Call> = {}): EngineRequest => {
    const call: Call = {
      ...{ kind: 'expand', n: 1, part: part?.id ?? '', brief: part?.brief ?? '' },
      ...{ inputHashes: ['a'.repeat(64)], ...over },
    }
    const inputs = [JSON.stringify(content)]
    return {
      ...{ package: runPackage, call, inputs, maxOutputTokens: 1_000 },
      prompt: kind.prompt(runPackage, call, inputs),
      jsonSchema: kind.callSchema?.(runPackage, call) ?? {},
    }
  }
  const engine = createDeterministicEngine()
  const answered = (asked: EngineRequest) =>
    engine.generate(asked, engine.body(asked), new AbortController().signal)

  it('answers such a call and its repair, and refuses one without a brief', async () => {
    const expected = { kind: 'completed', output: { phases: [{}, {}] } }
    expect(await answered(request())).toMatchObject(expected)
    const repair = { kind: 'repair', part: '1-1', corrects: 'expand' } as const
    expect(await answered(request(repair))).toMatchObject(expected)
    expect(await answered(request({ brief: 'expand it' }))).toMatchObject({
      kind: 'misconfigured',
    })
  })

  it('is told what it reads by its body: another workflow or limit makes another one', () => {
    const body = engine.body(request())
    expect(engine.body(request())).toBe(body)
    expect(engine.body(request({ inputHashes: ['b'.repeat(64)] }))).not.toBe(body)
    expect(engine.body(request({ brief: (part?.brief ?? '').replace('8', '9') }))).not.toBe(body)
  })
})
