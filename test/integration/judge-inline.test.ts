import { judgeBrief, type JudgedCheck } from '@almanac/documents'
import { AlmanacError, evaluation as evaluationSchema } from '@almanac/domain'
import { createDeterministicEngine } from '@almanac/llm'
import {
  pipeline,
  readPackage,
  runInline,
  type Checklist,
  type Engine,
  type EngineRequest,
  type Judge,
  type Outcome,
  type RunnerPorts,
} from '@almanac/pipeline'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { judgeDocument } from '../../packages/pipeline/src/judging/judge-document.ts'
import { createMemoryWorld } from '../../packages/pipeline/src/testing/memory-world.ts'
import {
  everythingBought,
  industries,
  kinds,
  readEvidence,
  sampleEvidenceFile,
  samplePeriod,
  sampleSpecification,
} from '../support/sample.ts'

/** Runs whose document is judged, by a judge whose answers the tests choose. */

const [source = ''] = sampleSpecification().sources
const checks: JudgedCheck[] = ['one', 'two', 'three', 'four'].map((id) => ({
  id,
  question: `Is ${id} there?`,
}))
const checklist = (over: Partial<Checklist> = {}): Checklist => ({
  ...{ name: 'fit/report-fit', kind: 'report', weight: 0.2 },
  checks: () => Promise.resolve(checks),
  ...over,
})

type Says = (check: string, n: number) => 'yes' | 'no'

const usage = { inputTokens: 10, cachedInputTokens: 0, outputTokens: 5, estimated: false }
const completed = (output: unknown): Outcome => ({
  ...{ kind: 'completed', output, usage, requestId: 'r1' },
  served: { model: 'judge-1', tier: 'standard' },
})
/** A judge that answers each check in the order in which it is asked. */
function judging(says: Says, over: Partial<Engine> = {}): Engine & { asked: EngineRequest[] } {
  const asked: EngineRequest[] = []
  return {
    ...createDeterministicEngine(),
    ...{ name: 'judging', model: 'judge-1', provider: 'judging', asked },
    generate: (request) => {
      asked.push(request)
      const order = z
        .array(z.object({ id: z.string() }))
        .parse(JSON.parse(request.inputs[1] ?? ''))
        .map(({ id }) => id)
      const answers = order.map((check) => ({
        ...{ check, why: `Because of\n${check}.` },
        holds: says(check, request.call.n),
      }))
      return Promise.resolve(completed({ answers }))
    },
    ...over,
  }
}
const outcome = (made: Outcome) => judging(() => 'yes', { generate: () => Promise.resolve(made) })

async function judged(
  judge: Judge,
  change: (ports: RunnerPorts) => Partial<RunnerPorts> = () => ({}),
) {
  const world = createMemoryWorld({
    specification: sampleSpecification(),
    entitlement: everythingBought,
    evidence: readEvidence(sampleEvidenceFile, source),
    industries,
    kinds,
    engine: createDeterministicEngine(),
    now: new Date('2026-11-21T12:00:00.000Z'),
  })
  const ports: RunnerPorts = { ...world.ports, judge }
  const run = world.accept({ period: samplePeriod })
  const { id: runId, tenantId } = run.facts
  const job = { tenantId, runId, epoch: 1 }
  const end = await runInline(pipeline, 'retrieve', job, { ...ports, ...change(ports) })
  const evaluation = evaluationSchema.safeParse(JSON.parse(run.outputs.evaluate ?? 'null')).data
  const metric = evaluation?.metrics.find(({ name }) => name === 'fit/report-fit')
  const calls = [...world.calls].map(([key, { state }]) => [
    key.split('/').slice(1).join('/'),
    state,
  ])
  return { run, end, evaluation, metric, calls, world }
}
const by = (engine: Judge['engine'], over: Partial<Checklist> = {}): Judge => ({
  engine,
  checklists: [checklist(over)],
})
const unjudged = await judged({ engine: { none: '' }, checklists: [] })

describe('a document that is judged', () => {
  it('is asked twice, in both orders, and measured by the checks that hold', async () => {
    const engine = judging((check) => (check === 'two' ? 'no' : 'yes'))
    const { run, evaluation, metric, calls } = await judged(by(engine))
    expect(run.state).toBe('succeeded')
    expect(metric).toEqual({
      ...{ name: 'fit/report-fit', value: 0.75, weight: 0.2 },
      reasons: [
        'no: Is two there? – Because of two.',
        'yes: Is one there? – Because of one.',
        'yes: Is three there? – Because of three.',
        'yes: Is four there? – Because of four.',
      ],
    })
    const [plain, all] = [unjudged.evaluation?.metrics ?? [], evaluation?.metrics ?? []]
    expect(all.slice(0, -1).map(({ weight }) => weight)).toEqual(
      plain.map(({ weight }) => expect.closeTo(weight * 0.8, 9)),
    )
    const score = all.reduce((sum, { value, weight }) => sum + value * weight, 0)
    expect(evaluation?.score).toBeCloseTo(score, 4)
    expect(run.conclusion?.version.score).toBe(evaluation?.score)
    expect(calls).toEqual([
      ['draft:1', 'settled'],
      ['judge:1:fit/report-fit', 'settled'],
      ['judge:2:fit/report-fit', 'settled'],
    ])
  })

  it('is judged by its content and package alone, by checks in the order and its reverse', async () => {
    const engine = judging(() => 'yes')
    await judged(by(engine))
    const [first, second] = engine.asked
    expect(first?.inputs[0]).toBe(second?.inputs[0])
    expect(JSON.parse(first?.inputs[1] ?? '')).toEqual(checks)
    expect(JSON.parse(second?.inputs[1] ?? '')).toEqual(checks.toReversed())
    expect(first?.call).toMatchObject({ kind: 'judge', n: 1, brief: judgeBrief })
    const told = `${first?.prompt.instructions} ${first?.prompt.input}`
    expect(told.includes(first?.inputs[0] ?? '-')).toBe(true)
    // Neither who made it nor what it scores.
    for (const word of ['extractive-1', 'conformance', 'score'])
      expect([word, told.includes(word)]).toEqual([word, false])
    expect(first?.maxOutputTokens).toBe(8_000)
  })

  it('keeps the weights of other plugins’ metrics as they are', async () => {
    const half = { name: 'half/half', kind: 'report' as const, weight: 0.3 }
    const world = await judged(
      { engine: judging(() => 'yes'), checklists: [checklist(), checklist({ ...half })] },
      ({ kinds: own }) => ({
        kinds: {
          get: (name) => ({
            ...own.get(name),
            evaluate: (...args) => {
              const evaluation = own.get(name).evaluate(...args)
              const plugged = { name: 'a/b', value: 0.5, weight: 0.1, reasons: ['it is half'] }
              const metrics = evaluation.metrics.map((one) => ({
                ...one,
                weight: one.weight * 0.9,
              }))
              return { ...evaluation, metrics: [...metrics, plugged] }
            },
          }),
        },
      }),
    )
    const weights = new Map(world.evaluation?.metrics.map(({ name, weight }) => [name, weight]))
    expect([weights.get('a/b'), weights.get('fit/report-fit'), weights.get('half/half')]).toEqual([
      0.1, 0.2, 0.3,
    ])
    expect(weights.get('coverage')).toBeCloseTo(0.4 * 0.4, 9)
  })
})

describe('a metric without weight, with the reason, where', () => {
  const throwing = (error: unknown) =>
    judging(() => 'yes', {
      estimate: () => {
        throw error
      },
    })
  const failure = { plugin: 'fit', hook: 'judge report-fit', reason: 'no idea' }

  it.each<[string, Judge, string]>([
    [
      'nobody judges',
      by({ none: 'the deterministic engine does not judge' }),
      'not judged: the deterministic engine does not judge',
    ],
    [
      'the judge would judge its own work',
      by(judging(() => 'yes', { model: 'extractive-1' })),
      'the model extractive-1 made the document, and does not judge its own work',
    ],
    [
      'the orders disagree',
      by(judging((check, n) => (check === 'two' && n === 2 ? 'no' : 'yes'))),
      'not judged: asked in another order, it answered otherwise: two',
    ],
    [
      'the deterministic engine is asked',
      by(judging(() => 'yes', { generate: createDeterministicEngine().generate })),
      'does not judge',
    ],
    [
      'an answer is nonsense',
      by(outcome(completed('nonsense'))),
      'does not answer each check once',
    ],
    [
      'a check is not answered',
      by(outcome(completed({ answers: [{ check: 'one', why: '', holds: 'yes' }] }))),
      'does not answer each check once',
    ],
    [
      'it refuses',
      by(outcome({ kind: 'refused', usage, served: { model: 'm', tier: 't' }, requestId: 'r' })),
      'refused',
    ],
    ['its answer is lost', by(outcome({ kind: 'unknown', reason: 'reset' })), 'lost'],
    [
      'it has no room',
      by(outcome({ kind: 'not_billed', reason: 'rate', retryAfterMs: 9_000 })),
      'no room',
    ],
    ['it is overloaded', by(outcome({ kind: 'not_billed', reason: 'overloaded' })), 'judging'],
    [
      'it is not paid',
      by(outcome({ kind: 'billing_stop', code: 'insufficient_quota' })),
      'stopped',
    ],
    [
      'it is not known',
      by(outcome({ kind: 'misconfigured', status: 404, code: 'no model' })),
      'no model',
    ],
    [
      'its plugin fails',
      by(
        judging(() => 'yes'),
        { checks: () => Promise.reject(new AlmanacError('PLUGIN_FAILED', failure)) },
      ),
      'no idea',
    ],
    [
      'a limit of rates is too low',
      by(
        throwing(
          new AlmanacError('RATE_LIMIT_TOO_LOW', {
            whose: 'provider',
            unit: 'tokens',
            needed: 9,
            limit: 5,
          } as never),
        ),
      ),
      'not judged: ',
    ],
  ])('%s', async (_, judge, reason) => {
    const { run, evaluation, metric } = await judged(judge)
    expect(run.state).toBe('succeeded')
    expect(metric).toMatchObject({ value: 0, weight: 0 })
    expect(metric?.reasons).toEqual([expect.stringContaining(reason)])
    expect(metric?.reasons[0]).toMatch(/^not judged: /)
    expect(evaluation?.score).toBe(unjudged.evaluation?.score)
    expect(evaluation?.metrics.slice(0, -1)).toEqual(unjudged.evaluation?.metrics)
  })

  it('the budget has no room for it', async () => {
    const { run, metric } = await judged(by(judging(() => 'yes')), ({ ledger }) => ({
      ledger: {
        ...ledger,
        hold: (request) =>
          request.callKey.startsWith('judge')
            ? Promise.resolve({
                ...{ state: 'refused', level: 'root', unit: 'tokens', needed: 9, left: 5 },
                because: 'limit',
              } as const)
            : ledger.hold(request),
      },
    }))
    expect(run.state).toBe('succeeded')
    expect(metric).toMatchObject({ weight: 0, reasons: [expect.stringMatching(/9 tokens/)] })
  })

  it('spending is stopped: the run does not wait for its judge', async () => {
    const { run, metric } = await judged(by(judging(() => 'yes')), ({ spending }) => ({
      spending: {
        ...spending,
        check: (asked) =>
          asked.provider === 'judging'
            ? Promise.resolve({ open: false as const })
            : spending.check(asked),
      },
    }))
    expect(run.state).toBe('succeeded')
    expect(metric?.reasons).toEqual([expect.stringContaining('is stopped')])
  })
})

describe('judging', () => {
  it('leaves the run to the worker that has the call open', async () => {
    const { run, end } = await judged(by(judging(() => 'yes')), ({ ledger }) => ({
      ledger: {
        ...ledger,
        hold: (request) =>
          request.callKey.startsWith('judge')
            ? Promise.resolve({ state: 'busy' })
            : ledger.hold(request),
      },
    }))
    expect(end).toEqual({ kind: 'dropped', why: 'elsewhere' })
    expect(run.outputs.evaluate).toBeUndefined()
  })

  it('is tried again by its stage where the fault is this Almanac’s own', async () => {
    let tries = 0
    const { run, metric } = await judged(by(judging(() => 'yes')), ({ ledger }) => ({
      ledger: {
        ...ledger,
        hold: (request) =>
          request.callKey.startsWith('judge') && (tries += 1) === 1
            ? Promise.reject(new AlmanacError('DATABASE_UNREACHABLE', { where: 'h', reason: 'r' }))
            : ledger.hold(request),
      },
    }))
    expect(run.state).toBe('succeeded')
    expect(metric?.value).toBe(1)
  })

  it('asks nothing again that was answered before', async () => {
    const engine = judging(() => 'yes')
    const judge = by(engine)
    let fails = true
    // The answers are settled, and their worker dies before it can commit them.
    const { run, world } = await judged(judge, (ports) => ({
      commitStage: (commit) => {
        if (commit.stage !== 'evaluate' || !fails) return ports.commitStage(commit)
        fails = false
        return Promise.resolve('stale')
      },
    }))
    expect(run.nextStage).toBe('evaluate')
    const { id: runId, tenantId } = run.facts
    await runInline(pipeline, 'evaluate', { tenantId, runId, epoch: 1 }, { ...world.ports, judge })
    expect(run.state).toBe('succeeded')
    expect(engine.asked).toHaveLength(2)
  })

  it('gives up an answer that does not come, and begins no further one when its time is over', async () => {
    const { run, world } = unjudged
    const hanging = judging(() => 'yes', {
      generate: (_request, _body, abort) =>
        new Promise((_, reject) => {
          abort.addEventListener('abort', () => {
            reject(new Error('given up'))
          })
        }),
    })
    const stored = (stage: 'assemble' | 'refine') =>
      z
        .object({ packageHash: z.string().optional(), contentHash: z.string().optional() })
        .parse(JSON.parse(run.outputs[stage] ?? ''))
    const { packageHash = '' } = stored('assemble')
    const { contentHash = '' } = stored('refine')
    const judgements = await judgeDocument(
      {
        ...{ run: run.facts, epoch: 1, packageHash, kind: kinds.get('report'), stage: 'evaluate' },
        package: await readPackage(world.ports.content, run.facts.tenantId, packageHash),
      },
      { contentHash, madeBy: [] },
      {
        ...world.ports,
        judge: { engine: hanging, checklists: [checklist(), checklist({ name: 'fit/other' })] },
      },
      new AbortController().signal,
      { callMs: 60, allMs: 20 },
    )
    expect(judgements).toMatchObject([
      { isJudged: false, metric: { reasons: [expect.stringContaining('lost')] } },
      { isJudged: false, metric: { reasons: ['not judged: judging takes too long'] } },
    ])
  })
})
