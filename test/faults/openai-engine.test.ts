import { sentBody } from '@almanac/llm/openai'
import {
  buildRequest,
  pipeline,
  runInline,
  type Engine,
  type EngineRequest,
  type StoredEvidence,
} from '@almanac/pipeline'
import { createSimulator, type Listening, type Simulator } from '@almanac/simulator'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { samplePackage } from '../../packages/llm/src/testing/sample-package.ts'
import {
  createMemoryWorld,
  type MemoryRun,
  type MemoryWorld,
} from '../../packages/pipeline/src/testing/memory-world.ts'
import {
  everythingBought,
  industries,
  kinds,
  readEvidence,
  sampleEvidenceFile,
  samplePeriod,
  sampleSpecification,
} from '../support/sample.ts'
import { faultTable, injectedItem } from './fault-table.ts'
import { judgeRow, type Money } from './judge-row.ts'
import { createWatchedEngine, microUsdOf, model, playFault, requestsOf } from './watched-engine.ts'

/** The fault table inline: the real SDK on the simulator's wire, under a run through all stages. */
const now = new Date('2026-11-21T12:00:00.000Z')
const apis = ['responses', 'chat'] as const
const [source = ''] = sampleSpecification().sources
const evidence = readEvidence(sampleEvidenceFile, source)
const injected: StoredEvidence = {
  ...evidence[0]!,
  ...injectedItem,
  id: `${source}/${injectedItem.itemId}`,
}

let simulator: Simulator
let listening: Listening
beforeAll(async () => {
  simulator = createSimulator({ models: [model], cachedInputShare: 0.4 })
  listening = await simulator.listen()
})
beforeEach(() => {
  simulator.control.removeFaults()
  simulator.log.clear()
})
afterAll(() => listening.close())

type Options = Omit<Parameters<typeof createWatchedEngine>[1], 'baseUrl'>

/** A world whose engine talks to the simulator, and which notes outcomes and money. */
function createWatchedWorld(options: Options, items: StoredEvidence[] = evidence) {
  const { baseUrl } = listening
  const { engine, outcomes } = createWatchedEngine(now, { baseUrl, ...options })
  const world = createMemoryWorld({
    specification: sampleSpecification(),
    entitlement: everythingBought,
    evidence: items,
    industries,
    kinds,
    engine,
    now,
  })
  return { world, engine, outcomes, money: watchMoney(world) }
}

function watchMoney({ ports }: MemoryWorld): Money[] {
  const money: (Money & { key: string })[] = []
  const { ledger } = ports
  const end = (key: string, state: Money['state'], costMicroUsd: number | null = null) => {
    const open = money.findLast((one) => one.key === key && one.state === 'open')
    if (!open) throw new Error(`${key} ends, but nothing was held for it`)
    Object.assign(open, { state, costMicroUsd })
  }
  ports.ledger = {
    async hold(request) {
      const hold = await ledger.hold(request)
      const { callKey: key, estimate } = request
      const heldMicroUsd = estimate.microUsd
      if (hold.state === 'granted')
        money.push({ key, state: 'open', heldMicroUsd, costMicroUsd: null })
      return hold
    },
    async settle(call, settlement) {
      await ledger.settle(call, settlement)
      end(call.callKey, 'settled', settlement.costMicroUsd)
    },
    async release(call, reason) {
      await ledger.release(call, reason)
      end(call.callKey, 'released')
    },
    async unknown(call, reason) {
      await ledger.unknown(call, reason)
      end(call.callKey, 'unknown')
    },
  }
  return money
}

async function runOnce(world: MemoryWorld): Promise<MemoryRun> {
  const run = world.accept({ period: samplePeriod })
  const { id: runId, tenantId } = run.facts
  await runInline(pipeline, 'retrieve', { tenantId, runId, epoch: 1 }, world.ports)
  return run
}

/** How long until the run goes on: the delays of its tries, and of its park. */
const delaysOf = ({ events }: MemoryRun): number[] =>
  events.flatMap((event) => {
    if (event.type === 'run.stage_failed' && event.data.retryAt)
      return [Date.parse(event.data.retryAt) - now.getTime()]
    return event.type === 'run.parked' ? [Date.parse(event.data.wakeAt) - now.getTime()] : []
  })

const parkReasonOf = ({ state, events }: MemoryRun): string | undefined => {
  const last = events.findLast(({ type }) => type === 'run.parked')
  return state === 'parked' && last?.type === 'run.parked' ? last.data.reason : undefined
}

describe.each(apis)('the fault table inline, through %s', (api) => {
  it.each(faultTable)('$name', async (row) => {
    const theCase = { row, apiKey: 'sk-simulated-0001' }
    playFault(simulator, theCase)
    const { limits = {} } = row
    const { world, outcomes, money } = createWatchedWorld(
      { api, apiKey: theCase.apiKey, limits },
      row.injected ? [injected, ...evidence] : evidence,
    )
    const run = await runOnce(world)
    const [slot] = world.slots.values()
    const seen = {
      outcomes,
      state: run.state,
      code: run.error?.code,
      parkReason: parkReasonOf(run),
      slot: slot?.state ?? 'free',
      money,
      delays: delaysOf(run),
      requests: await requestsOf(simulator, theCase),
    }
    judgeRow(row, seen, row.end)
  })
})

describe('a call that goes well', () => {
  it.each(apis)('costs through %s what the provider bills, to the micro-USD', async (api) => {
    const { world, money } = createWatchedWorld({ api })
    expect((await runOnce(world)).state).toBe('succeeded')
    const [entry] = simulator.log.entries()
    if (!entry?.billed) throw new Error('nothing was billed')
    expect(entry.billed.cachedTokens).toBeGreaterThan(0)
    const [call] = money
    expect(call?.costMicroUsd).toBe(microUsdOf(entry.billed))
    expect(call?.costMicroUsd).toBeLessThan(call?.heldMicroUsd ?? 0)
  })

  it('is rebuilt, byte for byte, from the stored package and call', async () => {
    const { world, engine } = createWatchedWorld({})
    const run = await runOnce(world)
    const { packageHash } = JSON.parse(run.outputs.assemble ?? '') as { packageHash: string }
    const runPackage = JSON.parse(world.blobs.get(packageHash) ?? '')
    const kind = kinds.get('report')
    const [call] = kind.calls(runPackage)
    const request = await buildRequest(
      { run: run.facts, package: runPackage, kind },
      call!,
      world.ports,
    )
    const [entry] = simulator.log.entries()
    expect(simulator.log.bodyOf(entry!)?.toString('utf8')).toBe(
      sentBody(engine.body(request), 'standard'),
    )
    expect(entry?.store).toBe(false)
  })
})

describe('cancelled calls', () => {
  it('reject with the reason, and end at the provider too', async () => {
    simulator.control.addFaults({ fault: 'hang', times: null })
    const { engine } = createWatchedWorld({})
    const request: EngineRequest = {
      package: samplePackage({ items: [] }),
      call: { kind: 'draft', n: 1, brief: 'Write.', inputHashes: [] },
      inputs: [],
      prompt: { instructions: 'You report.', input: 'Data.' },
      jsonSchema: { type: 'object', properties: {}, required: [], additionalProperties: false },
      maxOutputTokens: 100,
    }
    const controller = new AbortController()
    const reason = new Error('the lease is lost')
    const calls = Array.from({ length: 20 }, () => generate(engine, request, controller.signal))
    const ends = Promise.allSettled(calls)
    await expect.poll(() => simulator.log.entries().length, { timeout: 20_000 }).toBe(20)
    controller.abort(reason)
    expect(await ends).toEqual(calls.map(() => ({ status: 'rejected', reason })))
    await simulator.log.idle()
    expect(simulator.log.entries().map(({ outcome }) => outcome)).toEqual(
      calls.map(() => 'client_gone'),
    )
  })
})

const generate = (engine: Engine, request: EngineRequest, signal: AbortSignal) =>
  engine.generate(request, engine.body(request), signal)
