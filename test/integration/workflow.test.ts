import {
  activateSpecification,
  createOperations,
  createPorts,
  createSpecification,
  plainCodec,
  registerModule,
  verify,
} from '@almanac/db'
import type { Engine as LlmEngine } from '@almanac/pipeline'
import { callKey } from '@almanac/documents'
import { createDeterministicEngine } from '@almanac/llm'
import {
  noJudge,
  noStrategies,
  pipeline,
  runInline,
  unlimitedRates,
  unstoppedSpending,
  type Engine,
  type RunnerPorts,
} from '@almanac/pipeline'
import { randomIds, systemClock } from '@almanac/runtime'
import { createSimulator, type Listening, type Simulator } from '@almanac/simulator'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { rebuildWith } from '../../apps/cli/src/commands/verify.ts'
import { createMemoryWorld } from '../../packages/pipeline/src/testing/memory-world.ts'
import { createWatchedEngine, model } from '../faults/watched-engine.ts'
import { queueRun, testDatabase, testTenant } from '../support/postgres.ts'
import { everythingBought, industries, kinds } from '../support/sample.ts'
import { sampleModule, sampleMonth, sampleWorkflow } from '../support/workflow-sample.ts'

/** The whole pipeline for a workflow: inline, on Postgres, and with the real SDK on the simulator's wire. */
const now = new Date('2026-11-21T12:00:00.000Z')
const period = sampleMonth
const formats = ['json', 'markdown', 'html'] as const

/** An engine that notes what it is asked, and loses the answer to one call once. */
function noting(inner: Engine, lost?: string): Engine & { asked: string[] } {
  const asked: string[] = []
  return {
    ...inner,
    asked,
    generate: async (request, body, signal) => {
      const key = callKey(request.call)
      asked.push(key)
      if (key === lost && asked.filter((one) => one === key).length === 1)
        throw new Error('the process died')
      return inner.generate(request, body, signal)
    },
  }
}

function createWorld(engine: Engine, over: Parameters<typeof sampleWorkflow>[0] = {}) {
  return createMemoryWorld({
    specification: sampleWorkflow(over),
    entitlement: everythingBought,
    evidence: [],
    modules: [sampleModule()],
    industries,
    kinds,
    engine,
    now,
  })
}

async function make(world: ReturnType<typeof createWorld>, facts = {}) {
  const run = world.accept({ period, ...facts })
  const { id: runId, tenantId } = run.facts
  await runInline(pipeline, 'retrieve', { tenantId, runId, epoch: 1 }, world.ports)
  const stored = run.conclusion?.artifacts ?? []
  const artifacts = Object.fromEntries(
    stored.map(({ format, sha256 }) => [format, world.blobs.get(sha256) ?? '']),
  )
  return { ...run, artifacts }
}

describe('a workflow, inline', () => {
  it('goes through all stages, in three calls of its own, to three formats', async () => {
    const engine = noting(createDeterministicEngine())
    const made = await make(createWorld(engine))
    expect(made.error).toBeNull()
    expect(made.state).toBe('succeeded')
    expect(engine.asked).toEqual(['phase:1:initialize', 'phase:1:how-to', 'phase:1:modularize'])
    const { content, evaluation, metadata, findings } = JSON.parse(made.artifacts['json'] ?? '')
    expect(findings).toEqual([])
    expect(evaluation.score).toBeGreaterThan(0.9)
    expect(evaluation.phases).toHaveLength(content.phases.length)
    expect(content.id).toMatch(/^supplier-onboarding-playbook-2026-09-[0-9a-f]{8}$/)
    expect(metadata).toMatchObject({ kind: 'workflow', classification: 'non_operational_output' })
    expect(content.modules).toContainEqual(
      expect.objectContaining({ registered: 'data-sheet-check' }),
    )
    for (const format of formats)
      expect(made.artifacts[format]).toContain('Safety data sheet check')
  })

  it('is the same in every process and run: ids, bytes, requests', async () => {
    const worlds = [
      createWorld(createDeterministicEngine()),
      createWorld(createDeterministicEngine()),
    ]
    const facts = { ...worlds[0]?.accept().facts, period }
    const [one, other] = await Promise.all(worlds.map((world) => make(world, facts)))
    expect(one?.artifacts['html']).toContain('<h2')
    expect(other?.artifacts).toEqual(one?.artifacts)
  })

  it('makes exactly one more call after a crash in modularize', async () => {
    const engine = noting(createDeterministicEngine(), 'phase:1:modularize')
    const made = await make(createWorld(engine))
    expect(made.state).toBe('succeeded')
    expect(engine.asked).toEqual([
      'phase:1:initialize',
      'phase:1:how-to',
      'phase:1:modularize',
      'phase:1:modularize',
    ])
  })

  it('gives each phase the stored answers of those before it', async () => {
    const inputs: number[] = []
    const inner = createDeterministicEngine()
    const world = createWorld({
      ...inner,
      generate: (request, ...rest) => {
        const { call } = request
        inputs.push(request.inputs.length)
        call.inputHashes.forEach((hash, i) => expect(world.blobs.get(hash)).toBe(request.inputs[i]))
        expect(request.prompt.input.match(/^END DATA /gm)).toHaveLength(request.inputs.length + 1)
        expect(Object.keys(request.jsonSchema['properties'] ?? {})).toHaveLength(
          [5, 1, 1][inputs.length - 1] ?? 0,
        )
        return inner.generate(request, ...rest)
      },
    })
    expect((await make(world)).state).toBe('succeeded')
    expect(inputs).toEqual([0, 1, 2])
  })

  it('repairs what is wrong, whole, told the draft and the findings', async () => {
    const inner = createDeterministicEngine()
    const engine = noting({
      ...inner,
      generate: async (request, ...rest) => {
        const outcome = await inner.generate(request, ...rest)
        if (outcome.kind !== 'completed' || request.call.part !== 'modularize') return outcome
        return { ...outcome, output: { modules: [] } }
      },
    })
    const made = await make(createWorld(engine))
    expect(made.state).toBe('succeeded')
    expect(engine.asked.slice(3)).toEqual(['repair:1'])
  })

  it('fails when a module is not registered any more', async () => {
    const made = await make(createWorld(createDeterministicEngine(), { modules: ['gone'] }))
    expect(made.state).toBe('failed')
    expect(made.error).toMatchObject({ code: 'NOT_FOUND' })
    expect(made.error?.detail).toContain('registered module gone')
  })
})

describe('a workflow from a model', () => {
  let simulator: Simulator
  let listening: Listening
  beforeAll(async () => {
    simulator = createSimulator({ models: [model] })
    listening = await simulator.listen()
  })
  afterAll(() => listening.close())

  it.each(['responses', 'chat'] as const)('is valid, by the %s API', async (api) => {
    const { engine } = createWatchedEngine(now, { baseUrl: listening.baseUrl, api })
    const noted = noting(engine)
    const made = await make(createWorld(noted))
    expect(made.error).toBeNull()
    expect(made.state).toBe('succeeded')
    expect(noted.asked).toHaveLength(3)
    const { content, findings } = JSON.parse(made.artifacts['json'] ?? '')
    expect(findings.filter(({ severity }: { severity: string }) => severity === 'error')).toEqual(
      [],
    )
    expect(content.modules.at(-1)).toMatchObject({ registered: 'data-sheet-check' })
  })
})

describe('a workflow on Postgres', async () => {
  const { db } = await testDatabase()

  const runOn = async (engine: LlmEngine, tries = 1) => {
    const tenant = await testTenant(db)
    const { tenantId, principalId } = tenant
    const specificationId = await db.withTenant(tenantId, async (trx) => {
      await registerModule(trx, tenantId, principalId, sampleModule())
      const { id } = await createSpecification(trx, tenantId, principalId, sampleWorkflow())
      await activateSpecification(trx, tenantId, principalId, id)
      return id
    })
    const runId = await queueRun(db, { ...tenant, specificationId }, { period })
    const ports: RunnerPorts = {
      ...createPorts(db),
      clock: systemClock,
      ids: randomIds,
      industries,
      kinds,
      engine,
      rates: unlimitedRates,
      spending: unstoppedSpending,
      deliveries: { deliverers: ['file'], prompt: () => Promise.resolve() },
      exporters: [],
      strategies: noStrategies,
      judge: noJudge,
      embedder: null,
      identity: { workerId: randomIds.next('worker') },
      log: () => undefined,
    }
    const { admission, leases } = createOperations(db)
    const worker = { id: ports.identity.workerId, host: 'here', pid: 1, version: '0' }
    await leases.register(worker, 60_000)
    const [job] = await admission.admit(new Map([[tenantId, 1]]))
    if (!job) throw new Error('not admitted')
    for (let n = 0; n < tries; n += 1)
      await runInline(
        pipeline,
        n === 0 ? 'retrieve' : 'execute',
        { tenantId, runId, epoch: job.epoch },
        ports,
      )
    return { tenantId, runId, ports }
  }

  it('succeeds, and every request of it can be made again, byte for byte', async () => {
    const engine = createDeterministicEngine()
    const { tenantId, runId, ports } = await runOn(engine)
    const run = await ports.load(tenantId, runId)
    expect(run?.state).toBe('succeeded')
    const calls = await db.withTenant(tenantId, (trx) =>
      trx
        .selectFrom('engine_calls')
        .select(['call_key', 'state', 'request_hash'])
        .where('run_id', '=', runId)
        .orderBy('opened_at')
        .execute(),
    )
    expect(calls.map(({ call_key, state }) => [call_key, state])).toEqual([
      ['phase:1:initialize', 'settled'],
      ['phase:1:how-to', 'settled'],
      ['phase:1:modularize', 'settled'],
    ])
    expect(new Set(calls.map(({ request_hash }) => request_hash)).size).toBe(3)
    const report = await verify(db, { codec: plainCodec, rebuild: rebuildWith([engine], kinds) })
    const requests = report.checks.find(({ promise }) => promise === 'P6')
    expect(requests).toMatchObject({ problemCount: 0, rows: 3 })
  })

  it('makes exactly one more call after a crash in modularize', async () => {
    const engine = noting(createDeterministicEngine(), 'phase:1:modularize')
    const { tenantId, runId, ports } = await runOn(engine)
    expect((await ports.load(tenantId, runId))?.state).toBe('succeeded')
    expect(engine.asked.slice(2)).toEqual(['phase:1:modularize', 'phase:1:modularize'])
    expect(engine.asked).toHaveLength(4)
  })
})
