import { createSimulator, type FaultRuleInput, type LogEntry } from '@almanac/simulator'
import {
  newDataDir,
  removeDataDir,
  startAlmanac,
  type AlmanacProcess,
} from '../support/almanac-process.ts'
import type { TestDatabase } from '../support/postgres.ts'
import { environmentOf, requestHashOf, type PaidSystem } from './paid-system.ts'
import type { RootFacts } from './root-facts.ts'
import { model } from './watched-engine.ts'

/** An installation whose drafts leave most out, so that there is something to refine. */
export interface RefiningSystem extends PaidSystem {
  processes: AlmanacProcess[]
  /** Starts another process, whose requests the simulator knows by this key. */
  start(apiKey: string): Promise<AlmanacProcess>
  /** The requests of a root's calls, told by their bodies. */
  requestsOf(facts: RootFacts): LogEntry[]
  close(): Promise<void>
}

/** Starts the simulator, with these faults; without `redisUrl` the queue will be in Postgres. */
export async function openRefiningSystem(
  test: TestDatabase,
  redisUrl: string | undefined,
  ...faults: readonly FaultRuleInput[]
): Promise<RefiningSystem> {
  const simulator = createSimulator({ models: [model] })
  const { baseUrl, close } = await simulator.listen()
  const [draft, first] = ['draft', 'variant:1'].map((keyContains) => ({ keyContains }))
  // The first rule that a request meets is played.
  simulator.control.addFaults(
    ...faults,
    { match: draft, fault: 'items_left_out', times: null },
    { match: first, fault: { name: 'items_left_out', keep: 3 }, times: null },
  )
  const env = environmentOf({ databaseUrl: test.url, redisUrl, baseUrl })
  const processes: AlmanacProcess[] = []
  return {
    ...{ test, simulator, env, processes },
    start: async (apiKey) => {
      const own = { ...env, OPENAI_API_KEY: apiKey }
      const started = await startAlmanac(newDataDir(), { env: own })
      processes.push(started)
      return started
    },
    requestsOf: ({ sends }) => {
      const own = new Set(sends.map(({ requestHash }) => requestHash))
      return simulator.log.entries().filter((entry) => own.has(requestHashOf(simulator, entry)))
    },
    close: async () => {
      await Promise.all(processes.map((one) => one.stop()))
      processes.forEach(({ dataDir }) => removeDataDir(dataDir))
      await close()
    },
  }
}

/** Calls of variants, and of their repairs, that the simulator has open. */
export const openCalls = ({ simulator }: Pick<PaidSystem, 'simulator'>): LogEntry[] =>
  simulator.log
    .entries()
    .filter(({ outcome, callKey }) => outcome === 'in_progress' && callKey !== 'draft:1')
