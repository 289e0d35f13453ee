import { isAlmanacError } from '@almanac/domain'
import type { Codec } from '../codec.ts'
import type { Database } from '../pool.ts'
import { auditChain } from './audit-chain.ts'
import { budgetSums } from './budget-sums.ts'
import {
  collectFindings,
  type Access,
  type Check,
  type CheckResult,
  type PromiseId,
  type Rebuild,
} from './check.ts'
import { guards } from './guards.ts'
import { isolation } from './isolation.ts'
import { paidOnce } from './paid-once.ts'
import { recordedSuccesses } from './recorded-successes.ts'
import { references } from './references.ts'
import { refinements } from './refinements.ts'
import { requests } from './requests.ts'
import { runEvents } from './run-events.ts'
import { openSnapshot } from './snapshot.ts'
import { specificationRevisions } from './specification-revisions.ts'
import { stageOrder } from './stage-order.ts'
import { storedContent } from './stored-content.ts'
import { successes } from './successes.ts'

/** Every check, in the order in which they are made and told. */
const checks: readonly Check[] = [
  successes,
  stageOrder,
  budgetSums,
  isolation,
  references,
  guards,
  storedContent,
  recordedSuccesses,
  auditChain,
  specificationRevisions,
  runEvents,
  requests,
  refinements,
  paidOnce,
]

export interface VerifyReport {
  /** True when no check found a problem. */
  ok: boolean
  checks: CheckResult[]
  /** Promises for which there was no row to look at. */
  unchecked: PromiseId[]
}

export interface VerifyProgress {
  /** Which check is being made, counted from 0, of how many. */
  check: number
  checks: number
  name: string
  /** Rows that it has looked at so far. */
  rows: number
}

export interface VerifyOptions {
  /** Opens the stored content. */
  codec: Codec
  rebuild: Rebuild
  log?: (progress: VerifyProgress) => void
}

/**
 * Checks the promises against the stored rows of all tenants, without changing any:
 *
 *   1. One snapshot, as `almanac_system`, shows everything but content: rows are compared with each
 *      other as they were at one instant, while Almanac goes on working.
 *   2. Content is read tenant by tenant as `almanac_app`, a few megabytes at a time.
 *   3. Each check counts what it looked at, and names every row that is wrong. One that the database
 *      does not let it make is a problem too.
 *
 * Throws DATABASE_UNREACHABLE.
 */
export async function verify(
  db: Database,
  { codec, rebuild, log = () => undefined }: VerifyOptions,
): Promise<VerifyReport> {
  const snapshot = await openSnapshot(db)
  try {
    const access = { db, snapshot, codec, rebuild }
    const results: CheckResult[] = []
    for (const [i, check] of checks.entries()) {
      const progress = { check: i, checks: checks.length, name: check.name }
      results.push(await make(check, access, (rows) => log({ ...progress, rows })))
    }
    return {
      ok: results.every(({ problemCount }) => problemCount === 0),
      checks: results,
      unchecked: uncheckedPromises(results),
    }
  } finally {
    await snapshot.close()
  }
}

async function make(
  check: Check,
  access: Access,
  seen: (rows: number) => void,
): Promise<CheckResult> {
  const { findings, result } = collectFindings(check, seen)
  seen(0)
  try {
    await access.snapshot.attempt(() => check.run(access, findings))
  } catch (error) {
    if (isAlmanacError(error, 'DATABASE_UNREACHABLE')) throw error
    const reason = error instanceof Error ? error.message : String(error)
    result.problemCount += 1
    result.problems.push({ table: null, row: {}, what: `the check could not be made: ${reason}` })
  }
  return result
}

function uncheckedPromises(results: readonly CheckResult[]): PromiseId[] {
  const promises = [...new Set(results.map(({ promise }) => promise))]
  return promises.filter((one) =>
    results.every(({ promise, rows }) => promise !== one || rows === 0),
  )
}
