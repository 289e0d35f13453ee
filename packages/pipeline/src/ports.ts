import type { AnyDocumentKind, Call, Prompt, RenderInput } from '@almanac/documents'
import type {
  AlmanacEvent,
  ArtifactId,
  DocumentId,
  DocumentKindName,
  DeliveryId,
  Entitlement,
  ErrorCode,
  EvidenceItem,
  Id,
  Industry,
  Json,
  Lane,
  ModuleDefinition,
  Noun,
  Origin,
  ParkReason,
  RunId,
  RunPackage,
  RunRequest,
  Specification,
  SpecificationId,
  SpecificationState,
  StageName,
  TenantId,
  Trigger,
  VersionId,
  WorkerId,
} from '@almanac/domain'
import type { HashedText } from '@almanac/domain/hash'
import type { Judge } from './judging/judge-port.ts'
import type { Refinement } from './refinement/refinement-port.ts'
import type { Strategies } from './refinement/strategies-port.ts'

/**
 * Glossary of this file: the small interfaces through which stages and runner reach the world.
 *
 *   run         one attempt to produce the document of one period
 *   slot        the right to one success of a period; ordinal 0 is the plan, higher ones are grants
 *   package     everything that a run may know, stored once, named by its hash
 *   content     any stored text, named by the SHA-256 of its UTF-8 bytes
 *   call        one request to an engine; its key is unique within the run, `seq` counts its sends
 *   hold        money and tokens set aside for a call before it is sent
 *   commit      the recording of a stage's result; at most one a stage and epoch is accepted
 *   epoch       the fencing number of a run; rises whenever the run enters the queue anew
 *
 * A stage names only the ports that it uses. Implementations: `db`, `queue`, `llm`; in memory for
 * the inline tests. All instants are ISO 8601 in UTC, all money integer micro-USD.
 */

export type * from './judging/judge-port.ts'
export type * from './refinement/refinement-port.ts'
export type * from './refinement/strategies-port.ts'

export interface Clock {
  now(): Date
}

export interface Ids {
  next<N extends Noun>(noun: N): Id<N>
}

/** The facts of a run that never change after it was accepted. */
export interface RunFacts {
  id: RunId
  tenantId: TenantId
  specificationId: SpecificationId
  /** The specification's revision that the run is bound to. */
  revision: number
  trigger: Trigger
  test: boolean
  fresh: boolean
  period: string | null
  /** The slot ordinal that this run asks for: 0, or that of a grant. */
  ordinal: number
  narrow: RunRequest['narrow'] | null
  onConflict: RunRequest['onConflict']
  lane: Lane
  origin: Origin | null
  createdAt: string
  deadlineAt: string | null
}

/** A specification as a run sees it: its bound revision, and the live facts around it. */
export interface BoundSpecification {
  state: SpecificationState
  tenantName: string
  tenantSuspended: boolean
  body: Specification
  hash: string
  entitlement: Entitlement
  /** Windows already covered by a success under another cadence or zone end here, or never were. */
  onDemandRunsThisMonth: number
}

export interface Specifications {
  /** Throws NOT_FOUND when the run's tenant has no such specification and revision. */
  bound(run: RunFacts): Promise<BoundSpecification>
}

export interface SlotRequest {
  run: RunFacts
  periodKey: string
  cadence: string
  timeZone: string
  from: string
  to: string
}

export type SlotClaim =
  | { claimed: true }
  | { claimed: false; because: 'taken' | 'in_progress'; by: RunId }
  | { claimed: false; because: 'covered'; by: string; until: string }

export interface Slots {
  /** Reserves the period for the run; asking again for the same run changes nothing. */
  claim(request: SlotRequest): Promise<SlotClaim>
}

/** An evidence item as stored, with the revision and hash that a package pins. */
export interface StoredEvidence extends EvidenceItem {
  id: string
  source: string
  revision: number
  hash: string
}

export interface EvidenceStore {
  /** The newest revisions of all items of the sources published in [from, to), by instant, then id. */
  inWindow(query: {
    tenantId: TenantId
    sources: readonly string[]
    from: string
    to: string
  }): Promise<StoredEvidence[]>
  /** How many items published before `from` arrived after `since`. */
  late(query: {
    tenantId: TenantId
    sources: readonly string[]
    from: string
    since: string
  }): Promise<number>
}

export interface HistoryStore {
  /** Earlier successes of the specification with windows that end by `from`, newest first, at most 12. */
  before(query: { tenantId: TenantId; specificationId: SpecificationId; from: string }): Promise<{
    history: RunPackage['history']
    previousArtifactHash: string | undefined
  }>
}

export interface ModuleRegistry {
  /** The tenant's registered modules with these keys, in their order. Throws NOT_FOUND. */
  named(tenantId: TenantId, keys: readonly string[]): Promise<ModuleDefinition[]>
}

/** Content by its hash. Text goes in and comes out unchanged; sealing is the implementation's. */
export interface Content {
  /** Stores texts and answers their hashes, in order; storing one again changes nothing. */
  put(tenantId: TenantId, texts: readonly string[]): Promise<string[]>
  /** Throws CONTENT_ERASED or CONTENT_TAMPERED. */
  get(tenantId: TenantId, hash: string): Promise<string>
}

export interface Industries {
  /** Throws NOT_FOUND for an id that no catalogue has. */
  get(id: string, version?: string): Industry
  hash(industry: Industry): string
}

export interface Kinds {
  get(name: DocumentKindName): AnyDocumentKind
}

/** The pure product of package, call and parameters: equal inputs, equal bytes. */
export interface EngineRequest {
  package: RunPackage
  call: Call
  /** The contents that the call's `inputHashes` name, in their order; part of the prompt too. */
  inputs: readonly string[]
  prompt: Prompt
  jsonSchema: Record<string, Json>
  maxOutputTokens: number
}

export interface Usage {
  inputTokens: number
  cachedInputTokens: number
  outputTokens: number
  /** True when the provider did not say and we counted. */
  estimated: boolean
}

/** What a provider's headers say of its rate limits: what is left, and when it is all there again. */
export interface ProviderLoad {
  requests?: { left: number; resetMs?: number }
  tokens?: { left: number; resetMs?: number }
}

/** What became of one call. Only `completed` carries output; `unknown` may have been billed. */
export type Outcome = Ending & { told?: ProviderLoad }

type Ending =
  | {
      kind: 'completed'
      output: unknown
      usage: Usage
      served: { model: string; tier: string }
      requestId: string
    }
  | {
      kind: 'truncated' | 'refused' | 'filtered'
      usage: Usage
      served: { model: string; tier: string }
      requestId: string
    }
  | {
      kind: 'not_billed'
      reason: 'rate' | 'overloaded' | 'flex_unavailable'
      retryAfterMs?: number
    }
  | { kind: 'unknown'; reason: 'timeout' | 'reset' | 'server_error' }
  | { kind: 'billing_stop'; code: string }
  | { kind: 'misconfigured'; status: number; code: string }

/** Stateless execution of one request. It decides no scope and its output is parsed whatever it claims. */
export interface Engine {
  readonly name: string
  readonly model: string
  /** The provider key that rates and the provider's budget count. */
  readonly provider: string
  /** The bytes that would be sent, without the service tier; a pure function. */
  body(request: EngineRequest): string
  /** The most that the request can cost, priced at the instant `at`. */
  estimate(request: EngineRequest, at: Date): { microUsd: number; tokens: number }
  /** What a usage costs, priced at the instant `at`. */
  price(usage: Usage, served: { model: string; tier: string }, at: Date): number
  generate(request: EngineRequest, body: string, signal: AbortSignal): Promise<Outcome>
}

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

/** A format beside those of the kind itself; a plugin writes it. */
export interface Exporter {
  format: string
  /** The kinds of document that it writes. */
  kinds: readonly string[]
  export(input: RenderInput<Json>, signal: AbortSignal): Promise<string>
}

/** Where documents go, and that the delivery loop need not wait for its next pass. */
export interface DeliveryPrompt {
  /** The names of the deliverers that take each finished document. */
  deliverers: readonly string[]
  prompt(tenantId: TenantId, runId: RunId): Promise<void>
}

/** Who is running: calls are claimed in a worker's name. */
export interface Identity {
  workerId: WorkerId
}

export interface Ports {
  refinement: Refinement
  /** The strategies that plugins bring to it. */
  strategies: Strategies
  clock: Clock
  ids: Ids
  specifications: Specifications
  slots: Slots
  evidence: EvidenceStore
  history: HistoryStore
  modules: ModuleRegistry
  content: Content
  industries: Industries
  kinds: Kinds
  engine: Engine
  ledger: BudgetLedger
  rates: RateGate
  spending: SpendGate
  deliveries: DeliveryPrompt
  exporters: readonly Exporter[]
  judge: Judge
  identity: Identity
}

/** A version to store; its content is stored before. */
export interface NewStoredVersion {
  id: VersionId
  label: string
  contentHash: string
  packageHash: string
  score: number
  /** Canonical JSON of the evaluation. */
  evaluation: string
}

/** What persist records, beside the run's success; applied by the commit in one transaction. */
export interface Conclusion {
  documentId: DocumentId
  version: NewStoredVersion
  artifacts: {
    id: ArtifactId
    /** One of Almanac's own formats, or an exporter's. */
    format: string
    sha256: string
    bytes: number
    engine: string
    model: string
  }[]
  deliveries: { id: DeliveryId; deliverer: string }[]
}

/** Where a run goes after a stage; made by `decide`, applied by the commit. */
export type Move =
  | { to: 'running'; next: StageName }
  | { to: 'again'; delayMs: number; code: ErrorCode }
  | { to: 'parked'; reason: ParkReason; wakeAt: string; provider?: string }
  | { to: 'succeeded' }
  | { to: 'failed' | 'blocked'; code: ErrorCode; params: object; detail: string }

/** One stage's result on its way into the database. */
export interface StageCommit {
  tenantId: TenantId
  runId: RunId
  epoch: number
  stage: StageName
  workerId: WorkerId
  /** JSON of the stage's output; null when the stage did not finish. */
  output: string | null
  /** The texts that the output names by their hashes, and that are not stored yet. */
  texts?: readonly HashedText[]
  durationMs: number
  move: Move
  events: AlmanacEvent[]
  conclusion: Conclusion | null
}

/** `stale`: the run has another epoch or state; `duplicate`: this stage was committed before. */
export type Verdict = 'committed' | 'stale' | 'duplicate'

/** The one way in which a stage changes a run; may group the commits of concurrent jobs. */
export interface CommitStage {
  commitStage(commit: StageCommit): Promise<Verdict>
}

/** A run as the runner finds it. */
export interface LoadedRun {
  facts: RunFacts
  epoch: number
  state: string
  nextStage: StageName
  /** Failed tries of `nextStage` so far. */
  tries: number
  /** JSON of the stored outputs by stage. */
  outputs: Partial<Record<StageName, string>>
  /** Of a retry or rerun: the outputs of the run that it came from. */
  originOutputs: Partial<Record<StageName, string>>
}

export interface RunStore {
  /** The run with its outputs, or undefined when there is none. */
  load(tenantId: TenantId, runId: RunId): Promise<LoadedRun | undefined>
}
