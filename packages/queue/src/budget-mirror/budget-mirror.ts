import type {
  BudgetKey,
  BudgetLedger,
  BudgetListener,
  BudgetState,
  HoldRequest,
  Refusal,
} from '@almanac/pipeline'
import { createRedisMirror, keyOf, type RedisMirrorOptions } from './redis-mirror.ts'

/**
 * So long after Postgres refused at a budget does the mirror say the same again. After that, whoever asks
 * goes the whole way once more, and every process hears the newest version.
 */
const confirmedMs = 500

type EarlyRefusal = NonNullable<HoldRequest['refusal']>

/** What Postgres said of a budget when it last refused there. */
interface Refused {
  refusal: Refusal
  budget: BudgetKey & { version: number }
  at: number
}

export interface BudgetMirror {
  /** What the ledger tells of its commits and refusals. */
  listener: BudgetListener
  /** The ledger behind the mirror. */
  guard(ledger: BudgetLedger): BudgetLedger
  close(): Promise<void>
}

/**
 * Budgets in Redis, as they were after each commit: whoever would be refused learns it there, and stays
 * away from the rows that everybody wants to lock. Postgres alone grants.
 *
 *   1. Every commit of the ledger is noted with its version; a newer version wins. Notes are not waited for.
 *   2. When Postgres refuses at a budget, the process remembers budget, version and what was left.
 *   3. A later hold that needs more than was left there asks Redis for the budget's version. If it is still
 *      the version that refused, and that is no longer ago than `confirmedMs`, the hold is refused early.
 *   4. A commit of the process itself that gives a budget a newer version ends what it remembers of it.
 *   5. Whatever else there is (no note, another version, no Redis, a wiped, restored or failed-over one)
 *      goes to Postgres. So a mirror that is wrong costs time and can grant nothing.
 *   6. An early refusal asks Postgres too, but without any lock: whether the call needs money at all (one
 *      that was answered before is given its answer), and whether the budget still has the version that
 *      refused. So a stale mirror, put back to just that version, can refuse nothing that fits.
 */
export function createBudgetMirror(
  options: RedisMirrorOptions & { now?: () => number },
): BudgetMirror {
  const now = options.now ?? (() => performance.now())
  const redis = createRedisMirror(options)
  const refusals = new Map<string, Refused>()

  const remember = (refusal: Refused): void => {
    for (const [key, { at }] of refusals) if (now() - at > confirmedMs) refusals.delete(key)
    refusals.set(keyOf(refusal.budget) + refusal.refusal.unit, refusal)
  }

  /** What this process has changed itself it need not hear of through Redis. */
  const forget = (states: readonly BudgetState[]): void => {
    for (const state of states)
      for (const unit of ['micro-USD', 'tokens']) {
        const known = refusals.get(keyOf(state) + unit)
        if (known && known.budget.version < state.version) refusals.delete(keyOf(state) + unit)
      }
  }

  const refusedEarly = async (request: HoldRequest): Promise<EarlyRefusal | undefined> => {
    if (refusals.size === 0) return undefined
    for (const [key, known] of refusals) {
      if (now() - known.at > confirmedMs) refusals.delete(key)
      else if (concerns(known, request)) {
        const version = await redis.versionOf(known.budget).catch(() => undefined)
        if (version === known.budget.version)
          return {
            ...known.refusal,
            needed: needOf(request, known.refusal.unit),
            by: known.budget,
          }
        refusals.delete(key)
      }
    }
    return undefined
  }

  return {
    listener: {
      changed: (states: readonly BudgetState[]) => {
        if (refusals.size > 0) forget(states)
        redis.note(states)
      },
      refused: (_request, { level, unit, needed, left, because }, budget) => {
        // What is left beside the reserve depends on what the call is for.
        if (because === 'reserve') return
        remember({ refusal: { level, unit, needed, left, because }, budget, at: now() })
      },
    },
    guard: (ledger) => ({
      ...ledger,
      async hold(request) {
        const refusal = await refusedEarly(request)
        return ledger.hold(refusal ? { ...request, refusal } : request)
      },
    }),
    close: redis.close,
  }
}

function concerns({ refusal, budget }: Refused, request: HoldRequest): boolean {
  const { run, provider } = request
  const subjects: Record<string, string> = {
    root: run.id,
    specification: run.specificationId,
    tenant_day: run.tenantId,
    tenant_month: run.tenantId,
    provider_day: provider,
  }
  if (subjects[budget.level] !== budget.subject) return false
  const needed = needOf(request, refusal.unit)
  return needed > 0 && (refusal.because === 'overrun' || needed > refusal.left)
}

const needOf = ({ estimate }: HoldRequest, unit: Refusal['unit']): number =>
  unit === 'tokens' ? estimate.tokens : estimate.microUsd
