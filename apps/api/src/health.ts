import { migrationState, type Database } from '@almanac/db'
import { AlmanacError, isAlmanacError } from '@almanac/domain'
import type { RequestHandler } from 'express'
import { withoutAddress } from './http/without-address.ts'
import type { ApiLog } from './parts.ts'

/** What an app's main knows of its other parts; each throws, or answers false, when it is not ready. */
export interface Readiness {
  queue?: () => Promise<unknown>
  /** Whether the lease of this process's worker holds. */
  worker?: () => Promise<boolean>
}

/** One thing that the process needs; `check` answers a sentence, or throws. */
interface Check {
  name: string
  check: () => Promise<string>
}

interface CheckResult {
  name: string
  ok: boolean
  says: string
}

const timeoutMs = 2_000

/** Answers as long as the process can answer at all. */
export const livez: RequestHandler = (_request, response) => {
  response.setHeader('cache-control', 'no-store')
  response.json({ alive: true })
}

/**
 * Answers 200 when every check passes, else 503, with the sentence of each. Those who ask at the
 * same time share one round of checks.
 */
export function readyz(db: Database, ready: Readiness, log: ApiLog): RequestHandler {
  const checks = [...databaseChecks(db), ...partChecks(ready)]
  let round: Promise<CheckResult[]> | undefined
  const look = (): Promise<CheckResult[]> => {
    round ??= Promise.all(checks.map((check) => run(check, log))).finally(() => {
      round = undefined
    })
    return round
  }
  return async (_request, response) => {
    const results = await look()
    const all = results.every(({ ok }) => ok)
    response.setHeader('cache-control', 'no-store')
    response.status(all ? 200 : 503).json({ ready: all, checks: results })
  }
}

const databaseChecks = (db: Database): Check[] => [
  {
    name: 'database',
    check: () => migrationState(db).then(() => 'Postgres answers.'),
  },
  {
    name: 'migrations',
    check: async () => {
      const { applied, missing } = await migrationState(db)
      if (missing.length === 0) return `All ${applied.length} migrations are applied.`
      throw new AlmanacError('DATABASE_NOT_MIGRATED', { missing: missing.length })
    },
  },
]

const partChecks = ({ queue, worker }: Readiness): Check[] => [
  ...(queue ? [{ name: 'queue', check: () => queue().then(() => 'The queue takes jobs.') }] : []),
  ...(worker
    ? [
        {
          name: 'worker',
          check: async () => {
            if (await worker()) return 'The worker’s lease holds.'
            throw new NotReady('The worker’s lease has run out; its runs are taken over.')
          },
        },
      ]
    : []),
]

class NotReady extends Error {}

async function run({ name, check }: Check, log: ApiLog): Promise<CheckResult> {
  const { promise: late, resolve } = Promise.withResolvers<CheckResult>()
  const says = `It did not answer within ${timeoutMs / 1_000} s.`
  const timer = setTimeout(() => resolve({ name, ok: false, says }), timeoutMs)
  const answered = check().then(
    (sentence) => ({ name, ok: true, says: sentence }),
    (error: unknown) => {
      log.warn({ err: error, check: name }, 'not ready')
      return { name, ok: false, says: sentenceOf(error) }
    },
  )
  try {
    return await Promise.race([answered, late])
  } finally {
    clearTimeout(timer)
  }
}

/** Whoever asks may be anybody: where our servers are is not told. */
function sentenceOf(error: unknown): string {
  if (error instanceof NotReady) return error.message
  if (!isAlmanacError(error)) return 'It failed for a reason that stands in the log.'
  return withoutAddress(error).message
}
