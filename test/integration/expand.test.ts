import {
  answerCheckpoint,
  createOperations,
  listCheckpoints,
  plainCodec,
  verify,
} from '@almanac/db'
import {
  complexityOf,
  tasksOf,
  workflowContent,
  type Call,
  type WorkflowContent,
} from '@almanac/documents'
import { childrenText, type WorkflowSpecification } from '@almanac/domain'
import { newId } from '@almanac/domain/ids'
import { createDeterministicEngine } from '@almanac/llm'
import type { Engine, EngineRequest } from '@almanac/pipeline'
import { createSimulator, type Listening, type Simulator } from '@almanac/simulator'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { rebuildWith } from '../../apps/cli/src/commands/verify.ts'
import { createWatchedEngine, model } from '../faults/watched-engine.ts'
import { testDatabase } from '../support/postgres.ts'
import { provedRoot, refineByHand, type RefinedByHand } from '../support/refine-by-hand.ts'
import { kinds } from '../support/sample.ts'
import { sampleWorkflow } from '../support/workflow-sample.ts'

/** Phases above a complexity become sub-phases: the refine stage and the variants' jobs on Postgres. */

const test = await testDatabase()
const { db, superuser } = test
const above = 8
const deterministic = createDeterministicEngine()

type Refinement = WorkflowSpecification['refinement']
const refinement = (over: object = {}): Refinement => ({
  ...{ enabled: true, maxDepth: 10, maxChildren: 100, checkpointRatio: 0.8, decay: 0.05 },
  ...{ variants: 3, checkpointExpiryMinutes: 60, expandAbove: above },
  termination: [{ type: 'depth_reached', depth: 1 }],
  ...over,
})
const workflow = (over: object = {}) => sampleWorkflow({ refinement: refinement(over) })

/** An engine that notes its calls, and changes what it answers to some. */
function noting(
  inner: Engine,
  change: (output: unknown, call: Call, request: EngineRequest) => unknown = (output) => output,
): Engine & { asked: Call[] } {
  const asked: Call[] = []
  return {
    ...inner,
    asked,
    generate: async (request, ...rest) => {
      asked.push(request.call)
      const outcome = await inner.generate(request, ...rest)
      return outcome.kind === 'completed'
        ? { ...outcome, output: change(outcome.output, request.call, request) }
        : outcome
    },
  }
}

/** What came of a run's refinement, as it is stored. */
async function stored({ tenant: { tenantId }, runId, ports }: RefinedByHand) {
  const rows = <R>(statement: string) => superuser<R>(statement, [runId])
  const [output] = await rows<{ output: string }>(
    `select output from stage_outputs where run_id = $1 and stage = 'refine'`,
  )
  const { contentHash, ...end } = JSON.parse(output?.output ?? '{}') as {
    contentHash: string
    versionLabel: string
    stopReason: string
    problem: string | null
    version: { id: string } | null
  }
  const content = workflowContent.parse(JSON.parse(await ports.content.get(tenantId, contentHash)))
  const [draft] = await rows<{ content_hash: string }>(
    `select content_hash from versions where run_id = $1 and label = '1'`,
  )
  const before = workflowContent.parse(
    JSON.parse(await ports.content.get(tenantId, draft?.content_hash ?? '')),
  )
  const generations = await rows<{ kind: string; children: number; merge: string }>(
    'select kind, children, merge from generations where run_id = $1 order by generation',
  )
  const variants = await rows<{
    call_key: string
    state: string
    error_code: string | null
    because: string | null
  }>(
    'select call_key, state, error_code, because from variants where run_id = $1 order by generation, ordinal',
  )
  const versions = await rows<{ id: string; label: string; parents: string[]; score: number }>(
    'select id, label, parents, score, depth from versions where run_id = $1 order by id',
  )
  const [money] = await rows<{ held: number; open: number }>(
    `select (select coalesce(sum(held_micro_usd + held_tokens), 0)::int from budgets where subject = $1) as held,
      (select count(*)::int from engine_calls where run_id = $1 and state in ('open', 'booked')) as open`,
  )
  const proof = await provedRoot(db, tenantId, runId)
  return { end, content, before, generations, variants, versions, money, proof }
}

const complex = (content: WorkflowContent) =>
  content.phases.filter((phase) => complexityOf(content, phase).total > above).map(({ id }) => id)

/** A first draft that leaves variants something to do. */
function vaguely(output: unknown, { part }: Call): unknown {
  if (part !== 'how-to') return output
  const { tasks } = output as { tasks: { steps: string[] }[] }
  return {
    tasks: tasks.map((task, i) => ({
      ...task,
      steps: task.steps.map((step, s) => (s > 0 ? step : `Do thing ${i} as appropriate.`)),
    })),
  }
}

const withoutVersion = ({ version: _, ...rest }: WorkflowContent) => rest

describe('a phase above the limit', () => {
  it('becomes sub-phases in a generation of its own, and the run goes on with them', async () => {
    const engine = noting(deterministic)
    const run = await refineByHand(test, engine, workflow())
    expect(await run.go()).toBe('parked')
    expect(run.jobs.length).toBeGreaterThan(1)
    expect(await run.finish()).toBe('succeeded')
    const { end, content, before, generations, variants, versions, money, proof } =
      await stored(run)
    const phases = complex(before)
    expect(phases.length).toBe(variants.length)
    expect(variants.map(({ call_key }) => call_key)).toEqual(phases.map((id) => `expand:1:${id}`))
    expect(variants.every(({ state }) => state === 'done')).toBe(true)
    expect(generations).toEqual([{ kind: 'expand', children: phases.length, merge: 'accepted' }])
    expect(engine.asked.filter(({ kind }) => kind === 'expand')).toHaveLength(phases.length)
    expect(end).toMatchObject({ stopReason: 'depth', problem: null, versionLabel: '1.m' })
    expect(complex(content)).toEqual([])
    expect(tasksOf(content).map(({ task }) => task)).toEqual(
      tasksOf(before).map(({ task }) => task),
    )

    const merged = versions.find(({ label }) => label === '1.m')
    const parts = versions.filter(({ label }) => /^1\.\d$/.test(label))
    expect(merged?.id).toBe(end.version?.id)
    expect([...(merged?.parents ?? [])].sort()).toEqual(parts.map(({ id }) => id).sort())
    const draft = versions.find(({ label }) => label === '1')
    for (const part of parts) expect(part.parents).toEqual([draft?.id])
    expect(merged?.score).toBeGreaterThanOrEqual(draft?.score ?? 1)

    expect(money).toEqual({ held: 0, open: 0 })
    expect(proof).toMatchObject({ holds: true, problems: [], pending: 0, generations: 1 })
    const acts = await superuser<{ action: string; kind: string | null }>(
      `select action, detail::jsonb ->> 'kind' as kind from audit_events
        where subject = $1 and action like 'refinement.%' order by id`,
      [run.runId],
    )
    expect(acts.map(({ action }) => action)).toEqual([
      'refinement.started',
      'refinement.granted',
      ...phases.map(() => 'refinement.variant_closed'),
      'refinement.merged',
      'refinement.ended',
    ])
    expect(acts[1]?.kind).toBe('expand')
  }, 60_000)

  it('is shown over its sub-phases in what is exported', async () => {
    const run = await refineByHand(test, deterministic, workflow())
    expect(await run.finish()).toBe('succeeded')
    const { content } = await stored(run)
    const artifacts = await superuser<{ format: string; sha256: string }>(
      'select format, sha256 from artifacts where run_id = $1',
      [run.runId],
    )
    const text = async (format: string) =>
      run.ports.content.get(
        run.tenant.tenantId,
        artifacts.find((one) => one.format === format)?.sha256 ?? '',
      )
    const first = content.phases.find(({ within }) => within)
    const outer = first?.within?.[0]?.name ?? 'nothing'
    expect(await text('html')).toContain(`</h2>`)
    expect(await text('html')).toMatch(new RegExp(`<h2[^>]*>\\d+\\. ${outer}</h2>`))
    expect(await text('html')).toMatch(/<h3[^>]*>\d+\.1 /)
    expect(await text('markdown')).toMatch(/^#### \d+\.1\.1 /m)
    expect(JSON.parse(await text('json'))).toMatchObject({ content: { phases: content.phases } })
  }, 60_000)

  it('is left alone at the limit, and without one', async () => {
    const run = await refineByHand(test, deterministic, workflow())
    await run.finish()
    const { before } = await stored(run)
    const most = Math.max(...before.phases.map((phase) => complexityOf(before, phase).total))
    for (const expandAbove of [most, undefined]) {
      const { expandAbove: _, ...without } = refinement() as Extract<Refinement, { enabled: true }>
      const own = await refineByHand(
        test,
        deterministic,
        sampleWorkflow({
          refinement: { ...without, ...(expandAbove !== undefined && { expandAbove }) },
        }),
      )
      expect(await own.finish()).toBe('succeeded')
      const after = await stored(own)
      expect(after.generations.filter(({ kind }) => kind === 'expand')).toEqual([])
      expect(after.content.phases.every(({ within }) => !within)).toBe(true)
    }
  }, 60_000)

  it('is expanded before variants begin, which keep what its sub-phases are within', async () => {
    const run = await refineByHand(
      test,
      noting(deterministic, vaguely),
      workflow({ decay: 0, termination: [{ type: 'depth_reached', depth: 2 }] }),
    )
    expect(await run.finish()).toBe('succeeded')
    const { content, before, generations, versions, end, proof } = await stored(run)
    expect(generations.map(({ kind }) => kind)).toEqual(['expand', 'variant'])
    const [draft] = versions
    const best = versions.find(({ id }) => id === end.version?.id)
    expect(best?.score).toBeGreaterThan(draft?.score ?? 1)
    expect(complex(before).length).toBeGreaterThan(0)
    for (const id of complex(before))
      expect(content.phases.filter(({ within }) => within?.[0]?.id === id).length).toBeGreaterThan(
        1,
      )
    expect(proof).toMatchObject({ holds: true, problems: [] })
  }, 60_000)

  it('is expanded again where its parts are still too complex, one depth further', async () => {
    /** Halves, whatever is asked for: those of eight tasks are halved again. */
    const halving = noting(deterministic, (output, call) => {
      if (call.kind !== 'expand') return output
      const { phases, tasks } = output as {
        phases: { key: string }[]
        tasks: { phase: string }[]
      }
      const [one, other] = phases
      const half = Math.ceil(phases.length / 2)
      const first = new Set(phases.slice(0, half).map(({ key }) => key))
      return {
        phases: [one, other],
        tasks: tasks.map((task) => ({
          ...task,
          phase: (first.has(task.phase) ? one : other)?.key ?? '',
        })),
      }
    })
    const run = await refineByHand(
      test,
      halving,
      workflow({ expandAbove: 5, termination: [{ type: 'depth_reached', depth: 3 }] }),
    )
    expect(await run.finish()).toBe('succeeded')
    const { content, generations, proof } = await stored(run)
    expect(generations.slice(0, 2).map(({ kind }) => kind)).toEqual(['expand', 'expand'])
    expect(content.phases.some(({ within }) => within?.length === 2)).toBe(true)
    expect(proof).toMatchObject({ holds: true, problems: [] })
  }, 60_000)
})

describe('an expansion that is no gain', () => {
  const oneOf = (phase: string) => (one: { call_key: string }) => one.call_key.endsWith(phase)
  const wheels = ['red', 'green', 'blue', 'yellow', 'black', 'white', 'brown', 'golden']
  type Parts = { phases: Record<string, unknown>[]; tasks: Record<string, unknown>[] }

  it.each<[string, (output: Parts) => unknown, string, RegExp]>([
    [
      'is invalid however often it is repaired',
      ({ phases, tasks }) => ({ phases, tasks: tasks.slice(1) }),
      'OUTPUT_INVALID',
      /^OUTPUT_INVALID$/,
    ],
    [
      'says one thing in every task',
      ({ phases, tasks }) => ({
        phases,
        tasks: tasks.map((task) => ({ ...task, steps: ['Do it all once more.'] })),
      }),
      'OUTPUT_INVALID',
      /^OUTPUT_INVALID$/,
    ],
    [
      'has a finding that was not there',
      ({ phases, tasks }) => ({
        phases,
        tasks: tasks.map((task) => ({ ...task, note: 'See <b>there</b>.' })),
      }),
      'EXPANSION_REJECTED',
      /^The sub-phases of phase-\d-\w+ were dropped: they add findings that were not there before \(UNSAFE_TEXT at \/phases\/\d\/tasks\/\d\/note, .*\)\.$/,
    ],
    [
      'takes up less of the purpose',
      ({ phases, tasks }) => ({
        phases: phases.map((phase, i) => ({ ...phase, name: `Part ${i}` })),
        tasks: tasks.map((task, i) => ({
          ...task,
          ...{ name: `Turn the ${wheels[i]} wheel`, done: `The ${wheels[i]} wheel stands.` },
          steps: [`Stop the ${wheels[i]} wheel at noon.`],
          outputs: (task['outputs'] as { key: string }[]).map(({ key }) => ({
            ...{ key, name: `Thing of the ${wheels[i]} wheel` },
          })),
        })),
      }),
      'EXPANSION_REJECTED',
      /^The sub-phases of phase-\d-\w+ were dropped: the score would fall from [\d.]+ to [\d.]+\.$/,
    ],
  ])(
    '%s is dropped with its reason, and the others go on',
    async (_, change, code, because) => {
      let spoiled = ''
      const engine = noting(deterministic, (output, call) => {
        const isExpansion = call.kind === 'expand' || call.corrects === 'expand'
        if (isExpansion) spoiled ||= call.part ?? ''
        const own = call.kind === 'expand' ? call.part === spoiled : call.part === '1-1'
        return isExpansion && own ? change(output as Parts) : output
      })
      const run = await refineByHand(test, engine, workflow())
      expect(await run.finish()).toBe('succeeded')
      const { content, before, variants, money, proof, end } = await stored(run)
      const dropped = variants.find(oneOf(spoiled))
      expect(dropped).toMatchObject({ state: 'failed', error_code: code })
      expect(dropped?.because).toMatch(because)
      expect(variants.filter(({ state }) => state === 'done')).toHaveLength(variants.length - 1)
      expect(complex(content)).toEqual([spoiled])
      expect(content.phases.find(({ id }) => id === spoiled)).toEqual(
        before.phases.find(({ id }) => id === spoiled),
      )
      expect(end.problem).toBeNull()
      expect(money).toEqual({ held: 0, open: 0 })
      expect(proof).toMatchObject({ holds: true, problems: [] })
      const [act] = await superuser<{ because: string }>(
        `select detail::jsonb ->> 'because' as because from audit_events where subject = $1
        and action = 'refinement.variant_closed' and detail::jsonb ->> 'state' = 'failed'`,
        [run.runId],
      )
      expect(act?.because).toBe(dropped?.because)
    },
    60_000,
  )

  it('ends nothing: with all of them dropped the variants have their turn', async () => {
    const engine = noting(deterministic, (output, call) =>
      call.kind === 'expand' || call.corrects === 'expand'
        ? { phases: [], tasks: [] }
        : vaguely(output, call),
    )
    const run = await refineByHand(
      test,
      engine,
      workflow({ termination: [{ type: 'depth_reached', depth: 2 }] }),
    )
    expect(await run.finish()).toBe('succeeded')
    const { generations, variants, proof } = await stored(run)
    expect(generations.map(({ kind }) => kind)).toEqual(['expand', 'variant'])
    expect(
      variants
        .filter(({ call_key }) => call_key.startsWith('expand'))
        .every(({ state }) => state === 'failed'),
    ).toBe(true)
    expect(proof).toMatchObject({ holds: true, problems: [] })
    // A phase is asked for once, whatever came of it.
    const keys = engine.asked.filter(({ kind }) => kind === 'expand').map(({ part }) => part)
    expect(new Set(keys).size).toBe(keys.length)
  }, 60_000)
})

describe('the guard', () => {
  it.each<[string, object, string]>([
    ['children at 80 % of their limit', { maxChildren: 1, variants: 1 }, 'denial'],
    ['depth at 80 % of its limit', { maxDepth: 1 }, 'denial'],
    ['money above the budget', { microUsd: 10 }, 'cost'],
    ['tokens above the budget', { tokens: 10 }, 'cost'],
    [
      'a condition that has come true',
      { termination: [{ type: 'target_score', score: 0.01 }] },
      'target',
    ],
  ])(
    'refuses an expansion with %s, and leaves nothing but its record',
    async (_, over, reason) => {
      const priced: Engine = {
        ...deterministic,
        estimate: ({ call }) =>
          call.kind === 'expand' ? { microUsd: 20, tokens: 20 } : { microUsd: 0, tokens: 0 },
      }
      const run = await refineByHand(test, priced, workflow(over))
      expect(await run.finish()).toBe('succeeded')
      const { end, generations, variants, money, versions, proof } = await stored(run)
      expect(end).toMatchObject({ stopReason: reason, versionLabel: '1' })
      expect({ generations, variants }).toEqual({ generations: [], variants: [] })
      expect(versions).toHaveLength(1)
      expect(money).toEqual({ held: 0, open: 0 })
      expect(proof).toMatchObject({ holds: true, problems: [], generations: 0 })
      const [refused] = await superuser<{ n: number }>(
        `select count(*)::int as n from audit_events where subject = $1 and action = 'refinement.refused'`,
        [run.runId],
      )
      expect(refused?.n).toBe(reason === 'target' ? 0 : 1)
    },
    60_000,
  )
})

describe('a checkpoint', () => {
  it('is told that phases are to be expanded; approved, it is good for just that', async () => {
    const run = await refineByHand(
      test,
      deterministic,
      sampleWorkflow({ refinement: refinement({ maxDepth: 1 }), checkpointPolicy: 'human' }),
    )
    const { tenantId } = run.tenant
    expect(await run.go()).toBe('parked')
    expect(run.jobs).toEqual([])
    const { data } = await db.withTenant(tenantId, (trx) =>
      listCheckpoints(trx, tenantId, { limit: 10, cursor: undefined }),
    )
    const [asked] = data
    expect(data).toHaveLength(1)
    expect(asked).toMatchObject({ kind: 'expand', generation: 1, state: 'pending' })
    if (!asked) return
    expect(childrenText(asked)).toMatch(/^\d phases to expand$/)
    const approver = { principalId: newId('principal'), mayApprove: true }
    const answer = { decision: 'approved', reason: 'it is worth it' } as const
    await answerCheckpoint(db, tenantId, approver, { checkpointId: asked.id, ...answer })
    expect(await run.finish()).toBe('succeeded')
    const { content, generations, proof } = await stored(run)
    expect(generations).toMatchObject([{ kind: 'expand', children: asked.children }])
    expect(complex(content)).toEqual([])
    expect(proof).toMatchObject({ holds: true, problems: [] })
  }, 60_000)
})

describe('a worker that dies', () => {
  it('after the answer was paid makes nobody ask again', async () => {
    const engine = noting(deterministic)
    const run = await refineByHand(test, engine, workflow())
    await run.go()
    const jobs = [...run.jobs]
    const dead = await run.asWorker()
    const dying = {
      ...dead,
      refinement: { ...dead.refinement, finish: () => Promise.reject(new Error('it has died')) },
    }
    await expect(run.work(dying)).rejects.toThrow('it has died')
    const paid = engine.asked.filter(({ kind }) => kind === 'expand').length
    expect(paid).toBe(1)
    await superuser(`update workers set alive_until = now() - interval '1 s' where id = $1`, [
      dead.identity.workerId,
    ])
    run.jobs.splice(0, Infinity, ...jobs)
    expect(await run.finish()).toBe('succeeded')
    const { content, variants, money, proof } = await stored(run)
    expect(engine.asked.filter(({ kind }) => kind === 'expand')).toHaveLength(variants.length)
    expect(complex(content)).toEqual([])
    expect(money).toEqual({ held: 0, open: 0 })
    expect(proof).toMatchObject({ holds: true, problems: [] })
  }, 60_000)

  it('between booking and jobs leaves what the sweep finds, booked once', async () => {
    const engine = noting(deterministic)
    const run = await refineByHand(test, engine, workflow())
    await run.go()
    const lost = run.jobs.splice(0)
    expect(lost.length).toBeGreaterThan(0)
    const found = await createOperations(db).variants.stuck(0)
    run.jobs.push(...found.filter(({ runId }) => runId === run.runId))
    expect(run.jobs).toHaveLength(lost.length)
    expect(await run.finish()).toBe('succeeded')
    const { content, generations } = await stored(run)
    expect(generations).toHaveLength(1)
    expect(complex(content)).toEqual([])
  }, 60_000)
})

describe('the requests of expansions', () => {
  it('can be made again byte for byte, those of repairs too', async () => {
    let broken = true
    const engine = noting(deterministic, (output, call) => {
      const isFirst = broken && call.kind === 'expand'
      if (isFirst) broken = false
      return isFirst ? { phases: [], tasks: [] } : output
    })
    const run = await refineByHand(test, engine, workflow())
    expect(await run.finish()).toBe('succeeded')
    expect(engine.asked.map(({ kind, corrects }) => corrects ?? kind)).toContain('expand')
    expect(engine.asked.filter(({ kind }) => kind === 'repair')).toHaveLength(1)
    const { content } = await stored(run)
    expect(complex(content)).toEqual([])
    const report = await verify(db, { codec: plainCodec, rebuild: rebuildWith([engine], kinds) })
    expect(report.checks.find(({ promise }) => promise === 'P6')).toMatchObject({ problemCount: 0 })
    const rows = await superuser<{ call: string; cause: string }>(
      'select call, cause from engine_calls where run_id = $1 and cause in ($$expand$$, $$repair$$)',
      [run.runId],
    )
    expect(rows.filter(({ cause }) => cause === 'repair')).toHaveLength(1)
    expect(rows.every(({ call }) => (JSON.parse(call) as Call).inputHashes.length > 0)).toBe(true)
  }, 60_000)

  describe('to a model', () => {
    let simulator: Simulator
    let listening: Listening
    beforeAll(async () => {
      simulator = createSimulator({ models: [model] })
      listening = await simulator.listen()
    })
    afterAll(() => listening.close())

    it.each(['responses', 'chat'] as const)(
      'carry a strict schema, by the %s API',
      async (api) => {
        const now = new Date()
        const { engine } = createWatchedEngine(now, { baseUrl: listening.baseUrl, api })
        const noted = noting(engine)
        const run = await refineByHand(
          test,
          noted,
          sampleWorkflow({
            refinement: refinement({ expandAbove: 5, decay: 0 }),
            budget: { microUsd: 5_000_000, tokens: 1_000_000 },
          }),
        )
        expect(await run.finish()).toBe('succeeded')
        const { content, before, variants, money, proof } = await stored(run)
        expect(variants.map(({ state, because }) => because ?? state)).toEqual(
          variants.map(() => 'done'),
        )
        expect(variants.length).toBeGreaterThan(0)
        expect(content.phases.some(({ within }) => within)).toBe(true)
        expect(withoutVersion(content)).not.toEqual(withoutVersion(before))
        expect(money).toEqual({ held: 0, open: 0 })
        expect(proof).toMatchObject({ holds: true, problems: [] })
        const [spent] = await superuser<{ spent: number; told: number }>(
          `select (select sum(cost_micro_usd)::int from engine_calls where run_id = $1 and cause = 'expand') as spent,
          (select sum(cost_micro_usd)::int from variants where run_id = $1) as told`,
          [run.runId],
        )
        expect(spent?.told).toBe(spent?.spent)
        expect(spent?.spent).toBeGreaterThan(0)
      },
      60_000,
    )
  })
})
