import type { AnyDocumentKind, RenderInput } from '@almanac/documents'
import type {
  DocumentKindName,
  Entitlement,
  EvidenceItem,
  Id,
  Industry,
  Json,
  Lane,
  ModuleDefinition,
  Noun,
  Origin,
  RunId,
  RunPackage,
  RunRequest,
  Specification,
  SpecificationId,
  SpecificationState,
  TenantId,
  Trigger,
  WorkerId,
} from '@almanac/domain'
import type { Engine } from './calls/engine-port.ts'
import type { BudgetLedger, RateGate, SpendGate } from './calls/money-port.ts'
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

export type * from './calls/engine-port.ts'
export type * from './calls/money-port.ts'
export type * from './commit-port.ts'
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
  /**
   * What turns texts into vectors: of a call of the kind `embed`, whose one input is the JSON list of the
   * texts, it answers `{ vectors }`, each the base64 of 32-bit floats. Null where nothing does.
   */
  embedder: Engine | null
  identity: Identity
}
