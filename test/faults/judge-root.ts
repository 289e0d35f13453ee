import { createPorts, plainCodec, proveRoot } from '@almanac/db'
import type { RunId } from '@almanac/domain'
import { readPackage } from '@almanac/pipeline'
import type { LogEntry } from '@almanac/simulator'
import { expect } from 'vitest'
import { until } from '../support/almanac-process.ts'
import type { TestDatabase } from '../support/postgres.ts'
import { kinds } from '../support/sample.ts'
import { untilLinked } from './audit-of.ts'
import { rootFacts, type RootFacts } from './root-facts.ts'
import { microUsdOf } from './watched-engine.ts'

/** Waits until a root's run is over; what is stored of it then. */
export const endedRoot = (test: TestDatabase, runId: RunId): Promise<RootFacts> =>
  until(async () => {
    const [run] = await test.superuser(
      'select from runs where id = $1 and finished_at is not null',
      [runId],
    )
    return run && rootFacts(test, runId)
  })

/**
 * What holds of every root that has ended well, whatever happened to its variants: the best valid version
 * was made, no generation merged twice, the money is that of its calls, and its proof holds.
 */
export async function judgeRoot(
  test: TestDatabase,
  runId: RunId,
  requestsOf: (facts: RootFacts) => Promise<readonly LogEntry[]>,
): Promise<RootFacts> {
  const facts = await endedRoot(test, runId)
  const { state, code, generations, variants } = facts
  expect({ state, code }).toEqual({ state: 'succeeded', code: null })
  expect(variants.filter((one) => one.state === 'open')).toEqual([])
  expect(generations.map(({ merge, acts }) => ({ merged: merge !== null, acts }))).toEqual(
    generations.map(() => ({ merged: true, acts: 1 })),
  )
  await judgeBest(test, facts)
  judgeMoney(facts, await requestsOf(facts))
  await judgeProof(test, facts, runId)
  return facts
}

/** The version that was made is the best by effective score, counted here anew, and has no error. */
async function judgeBest(test: TestDatabase, { tenantId, versions, made, decay }: RootFacts) {
  const worth = ({ score, depth }: (typeof versions)[number]) => score * (1 - decay) ** depth
  const best = versions.find(({ id }) => id === made)
  if (!best) throw new Error(`${String(made)} is not a version of its root`)
  expect(worth(best)).toBeCloseTo(Math.max(...versions.map(worth)), 9)
  const { content } = createPorts(test.db, { codec: plainCodec })
  const runPackage = await readPackage(content, tenantId, best.packageHash)
  const document: unknown = JSON.parse(await content.get(tenantId, best.contentHash))
  const kind = kinds.get('report')
  const findings = kind.validate(kind.parse(document), runPackage)
  expect(findings.filter(({ severity }) => severity === 'error')).toEqual([])
}

/** What the root counts is what its calls make; each settled one costs what the provider's tokens cost. */
export function judgeMoney({ sends, budget }: RootFacts, requests: readonly LogEntry[]): void {
  const of = (...states: string[]) => sends.filter(({ state }) => states.includes(state))
  const spent = sum(of('settled', 'charged').map(({ cost }) => cost))
  expect(of('booked', 'open')).toEqual([])
  expect(budget).toMatchObject({ held: sum(of('unknown').map(({ held }) => held)), spent })

  const billed = new Map(requests.map((entry) => [entry.requestId, entry.billed]))
  const told = of('settled').filter(({ estimated }) => estimated !== true)
  expect(told.map(({ key, cost }) => ({ key, cost }))).toEqual(
    told.map(({ key, requestId }) => {
      const tokens = billed.get(requestId ?? '')
      return { key, cost: tokens ? microUsdOf(tokens) : undefined }
    }),
  )
  // What the provider bills beyond that nobody was told; it is below what is held or charged for it.
  const all = sum(requests.flatMap((entry) => entry.billed ?? []).map(microUsdOf))
  expect(all).toBeLessThanOrEqual(spent + sum(of('unknown').map(({ held }) => held)))
}

async function judgeProof(test: TestDatabase, { tenantId }: RootFacts, runId: RunId) {
  await untilLinked(test)
  const proof = await test.db.withTenant(tenantId, (trx) => proveRoot(trx, tenantId, runId))
  expect(proof).toMatchObject({ holds: true, problems: [], pending: 0 })
}

/** Lets the time run out in which lost answers may still be told: the sweep charges what is held for them. */
export async function chargeLostAnswers({ superuser }: TestDatabase): Promise<void> {
  await superuser(
    `update engine_calls set unknown_at = unknown_at - interval '15 min' where state = 'unknown'`,
  )
  await until(async () => {
    const left = await superuser(`select from engine_calls where state = 'unknown'`)
    return left.length === 0 || undefined
  })
}

const sum = (values: readonly number[]): number => values.reduce((total, one) => total + one, 0)
