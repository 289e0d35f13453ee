import type { RunId, StageName, TenantId, WorkerId } from '@almanac/domain'
import type { HashedText } from '@almanac/domain/hash'
import type { Outcome, Usage } from './engine-port.ts'
import type { RunFacts } from '../ports.ts'

/** A call about to be sent: its claim is its hold. */
export interface HoldRequest {
  run: RunFacts
  epoch: number
  stage: StageName
  workerId: WorkerId
  callKey: string
  /** Canonical JSON of the call; stored, so that `verify` can rebuild the request. */
  call: string
  provider: string
  model: string
  requestHash: string
  packageHash: string
  estimate: { microUsd: number; tokens: number }
  /** Whether an equal request that another run had answered may answer this one. */
  reuse: boolean
  /** What the run may spend in all. */
  runLimit: { microUsd: number; tokens: number }
  /** Of a draft or phase: what its repairs may cost, set aside at the root until they are held. */
  finishing?: { microUsd: number; tokens: number }
  /**
   * What a mirror of the budgets knows of them: as long as the budget has the version that refused, the
   * ledger refuses the call with this, without locking any budget, unless the call needs no money
   * because it is answered or under way.
   */
  refusal?: Refusal & { by: BudgetKey & { version: number } }
}

export type Hold =
  | { state: 'granted'; seq: number }
  /** A call with this key was settled before: its answer's hash, to go on from. */
  | { state: 'settled'; seq: number; outputHash: string }
  /** An equal request of another run was answered, and its document passed validation. */
  | { state: 'reused'; outputHash: string; fromRunId: RunId }
  /** Another live worker has this call open. */
  | { state: 'busy' }
  /** Another run has an equal request open: its answer is worth waiting for. */
  | { state: 'in_flight' }
  /** Spending was stopped a moment ago. */
  | { state: 'stopped' }
  | ({ state: 'refused' } & Refusal)

/** Where a hold did not fit, and why. */
export interface Refusal {
  /** The level's name for people: root, specification, tenant/day, tenant/month, provider/day. */
  level: string
  /** What `needed` and `left` count. */
  unit: 'micro-USD' | 'tokens'
  needed: number
  left: number
  /**
   * `limit`: it is used up; `reserve`: what is left belongs to the repairs that finish the run;
   * `overrun`: a call cost more than was held for it, and no operator has acknowledged that.
   */
  because: 'limit' | 'reserve' | 'overrun'
}

/** Which budget. */
export interface BudgetKey {
  /** Null for a provider's budget. */
  tenantId: TenantId | null
  level: string
  /** The run, specification, tenant or provider. */
  subject: string
  /** The UTC day or month, or '' where the level has none. */
  period: string
}

/** One budget as it was after a commit; of two with the same key, the higher version is the newer. */
export interface BudgetState extends BudgetKey {
  version: number
  heldMicroUsd: number
  spentMicroUsd: number
  heldTokens: number
  spentTokens: number
}

export interface CallRef {
  run: RunFacts
  callKey: string
  seq: number
}

/** Money before, during and after a call. Every method is idempotent by call. */
export interface BudgetLedger {
  hold(request: HoldRequest): Promise<Hold>
  settle(
    call: CallRef,
    settlement: {
      costMicroUsd: number
      usage: Usage
      outcome: Outcome['kind']
      served: { model: string; tier: string }
      requestId: string
      outputHash: string | null
      /** The answer of that hash, where it is not stored yet: both are recorded at once, or neither. */
      answer?: HashedText
    },
  ): Promise<void>
  release(call: CallRef, reason: string): Promise<void>
  /** The answer was lost: the hold stays until it is charged or released. */
  unknown(call: CallRef, reason: string): Promise<void>
}

/** What one call asks of the rate limits; `tokens` is the most that it can use. */
export interface RateRequest {
  provider: string
  tenantId: TenantId
  tokens: number
}

/** Room that was taken: for its correction. `takenAt` is in milliseconds, by the buckets' clock. */
export interface RateTicket extends RateRequest {
  takenAt: number
}

/** What became of a call that had room: it was never sent, or its outcome. */
export type RateEnding = 'unsent' | Outcome

/** Told, after its commit, what every statement of the ledger left behind, for mirrors of the budgets. */
export interface BudgetListener {
  changed(states: readonly BudgetState[]): void
  /** A budget at this version had no room for the request. */
  refused(request: HoldRequest, refusal: Refusal, by: BudgetKey & { version: number }): void
}

export interface RateGate {
  /**
   * Takes room for one request; refused ones say how long to wait. Without ticket where nothing is
   * limited. Throws RATE_LIMIT_TOO_LOW for a call larger than a limit.
   */
  take(
    request: RateRequest,
  ): Promise<{ granted: true; ticket?: RateTicket } | { granted: false; retryAfterMs: number }>
  /** Gives back what was not used, and heeds what the provider said of its load. Never throws. */
  end(ticket: RateTicket, ending: RateEnding): Promise<void>
  /** Which of the tenants have room for a call now: the others' runs are not admitted. */
  room(provider: string, tenantIds: readonly TenantId[]): Promise<ReadonlySet<TenantId>>
}

/** A call that is about to be made, as stops of spending and circuits see it. */
export interface SpendRequest {
  provider: string
  tenantId: TenantId
  runId: RunId
}

/** Whether calls may be made at all: stopped spending, and providers that refuse to be paid. */
export interface SpendGate {
  /** `probe`: the provider's circuit is half open, and this call finds out whether it may be closed. */
  check(request: SpendRequest): Promise<{ open: true; probe: boolean } | { open: false }>
  /** A call was refused for want of money: opens the provider's circuit for all processes. */
  billingStopped(provider: string, code: string): Promise<void>
  /** How a probe ended. */
  probed(request: SpendRequest, healthy: boolean): Promise<void>
  /** Which of the tenants may spend; circuits do not count. */
  spending(provider: string, tenantIds: readonly TenantId[]): ReadonlySet<TenantId>
  /** Reads again what others have stopped and resumed. */
  refresh(): Promise<void>
}
