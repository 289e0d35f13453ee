import type { RunId } from '@almanac/domain'
import type { LogEntry } from '@almanac/simulator'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { until } from '../support/almanac-process.ts'
import { testDatabase } from '../support/postgres.ts'
import { findOwnRedis } from '../support/redis.ts'
import { expectAuditHolds } from './audit-of.ts'
import { chargeLostAnswers, judgeMoney } from './judge-root.ts'
import { askForReports, expectVerified, requestHashOf, workerOf } from './paid-system.ts'
import { refinement } from './refined-world.ts'
import { openCalls, openRefiningSystem, type RefiningSystem } from './refining-system.ts'
import { rootFacts, type RootFacts } from './root-facts.ts'

/**
 * Runs are cancelled through the API of one process while the calls of their variants, or of their
 * repairs, hang in this one and in another: every socket is closed within two seconds, and the money
 * balances.
 */
const redis = await findOwnRedis('the cancel of variants across processes')
const test = await testDatabase()

/** More variants than two processes make at once: each has some, and some have not begun. */
const roots = 12
const atOnce = 32
const withinMs = 2_000

describe.skipIf(!redis)('a cancelled refinement', () => {
  let system: RefiningSystem
  let runIds: RunId[]
  /** The requests that were open when the first run was cancelled, by the ledger's hash. */
  let hanging: Set<string>
  let facts: RootFacts[]
  /** How many of the open calls each worker had. */
  const workers = new Map<string, number>()

  beforeAll(async () => {
    const hang = { name: 'hang', billed: true } as const
    system = await openRefiningSystem(
      test,
      redis?.url,
      { match: { keyContains: 'variant:1:1' }, fault: 'malformed_json', times: null },
      { match: { keyContains: 'variant' }, fault: hang, times: null },
      { match: { keyContains: 'repair' }, fault: hang, times: null },
    )
    const asked = await system.start('sk-simulated-asked')
    const other = await system.start('sk-simulated-other')
    const runs = await askForReports(asked.client, roots, { name: 'cancelled', refinement })
    runIds = runs.map(({ id }) => id)
    await until(async () => {
      const parked = await test.superuser(`select from runs where park_reason = 'children'`)
      // One that is about to be answered would be settled while its variant is closed.
      const hang = openCalls(system).filter(({ fault }) => nameOf(fault) === 'hang')
      return (parked.length === roots && hang.length === atOnce) || undefined
    })
    const { simulator } = system
    hanging = new Set(openCalls(system).map((entry) => requestHashOf(simulator, entry)))
    await Promise.all(runIds.map((id) => asked.client.cancelRun({ params: { id } })))
    // What had not begun is given back by the sweep.
    await until(async () => {
      const left = await test.superuser(
        `select from engine_calls where state in ('booked', 'open')`,
      )
      return left.length === 0 || undefined
    })
    await simulator.log.idle()
    facts = await Promise.all(runIds.map((id) => rootFacts(test, id)))
    for (const { pid } of [asked, other]) workers.set(await workerOf(system, pid), atOnce / 2)
  })
  afterAll(async () => {
    await system.close()
    await redis?.stop()
  })

  const sends = () => facts.flatMap((one) => one.sends.filter(({ key }) => key !== 'draft:1'))

  it('closes the sockets of its variants within 2 s, in every process', async () => {
    const open = sends().filter(({ requestHash }) => hanging.has(requestHash))
    const byWorker = Map.groupBy(open, ({ workerId }) => workerId)
    expect(new Map([...byWorker].map(([id, all]) => [id, all.length]))).toEqual(workers)
    for (const [i, one] of facts.entries()) {
      const [event] = await test.superuser<{ at: Date }>(
        `select at from run_events where run_id = $1 and type = 'run.cancelled'`,
        [runIds[i]],
      )
      const hung = system.requestsOf(one).filter(({ outcome }) => outcome !== 'answered')
      expect(hung.map(({ outcome }) => outcome)).toEqual(hung.map(() => 'client_gone'))
      const tookMs = hung.map(
        ({ endedAt }) => Date.parse(endedAt ?? '') - (event?.at.getTime() ?? NaN),
      )
      expect(tookMs.filter((ms) => !(ms <= withinMs))).toEqual([])
    }
  })

  it('ends cancelled with its variants, makes nothing, and gives its slot back', async () => {
    for (const { state, made, stopReason, variants } of facts)
      expect({ state, made, stopReason, variants: variants.map((one) => one.state) }).toEqual({
        ...{ state: 'cancelled', made: null, stopReason: null },
        variants: ['cancelled', 'cancelled', 'cancelled'],
      })
    const slots = await test.superuser(
      `select s.state, s.run_id from slots s join runs r on r.specification_id = s.specification_id
        where r.state = 'cancelled'`,
    )
    expect(slots).toEqual(Array.from({ length: roots }, () => ({ state: 'free', run_id: null })))
  })

  it('pays for what was answered, holds what was lost until it is charged, and frees the rest', async () => {
    const ofState = (wanted: string) => sends().filter(({ state }) => state === wanted)
    expect(ofState('unknown').length).toBeGreaterThanOrEqual(atOnce)
    expect(ofState('settled').length).toBeGreaterThan(0)
    expect(ofState('released').filter(({ reason }) => reason !== 'not begun')).toEqual([])
    for (const [i, { sends: own, variants }] of facts.entries()) {
      judgeMoney(facts[i]!, system.requestsOf(facts[i]!))
      // What each variant is recorded with is what its answered calls cost.
      const paid = own.filter(({ key, state }) => key !== 'draft:1' && state === 'settled')
      expect(sum(variants.map(({ cost }) => cost ?? 0))).toBe(sum(paid.map(({ cost }) => cost)))
    }
    await chargeLostAnswers(test)
    for (const id of runIds) {
      const charged = await rootFacts(test, id)
      judgeMoney(charged, system.requestsOf(charged))
      expect(charged.budget?.held).toBe(0)
    }
  })

  it('leaves rows that break no promise, and an audit that proves it', async () => {
    await expectVerified(system)
    await expectAuditHolds(test, roots)
  })
})

const nameOf = (fault: LogEntry['fault']) => (typeof fault === 'object' ? fault?.name : fault)

const sum = (values: readonly number[]): number => values.reduce((total, one) => total + one, 0)
