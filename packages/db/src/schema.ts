import type {
  ArtifactId,
  AuditAction,
  AuditId,
  Cadence,
  CheckpointDecision,
  CheckpointId,
  DeliveryId,
  DocumentId,
  DocumentKindName,
  ErrorCode,
  EventName,
  GenerationKind,
  KeyId,
  ModuleId,
  KeyScope,
  Lane,
  OperatorAction,
  OperatorId,
  OperatorScope,
  ParkReason,
  PrincipalId,
  RunId,
  RunRequest,
  RunState,
  SlotState,
  SourceId,
  SpecificationId,
  SpecificationState,
  StageName,
  StopReason,
  TenantId,
  Trigger,
  VariantState,
  VersionId,
  WorkerId,
} from '@almanac/domain'
import type { ControlName } from '@almanac/pipeline'
import type { ColumnType, Generated } from 'kysely'

/**
 * The tables as the migrations make them, one interface each. Columns of type jsonb come out as
 * parsed JSON of unknown shape (parse it) and go in as JSON text. Every instant is a Date.
 */

type Instant = ColumnType<Date, Date | string, Date | string>
type NullableInstant = ColumnType<
  Date | null,
  Date | string | null | undefined,
  Date | string | null
>
type DefaultInstant = ColumnType<Date, Date | string | undefined, Date | string>
type JsonColumn = ColumnType<unknown, string, string>
type DefaultJson = ColumnType<unknown, string | undefined, string>
type NullableJson = ColumnType<unknown, string | null | undefined, string | null>
/** A column that may be left out of an insert and is null then. */
type Nullable<T> = ColumnType<T | null, T | null | undefined, T | null>
/** A column that the database fills and nothing changes. */
type Computed<T> = ColumnType<T, never, never>

export interface Tenants {
  id: TenantId
  name: string
  state: Generated<'active' | 'suspended'>
  allow_self_approval: Generated<boolean>
  max_in_flight: Generated<number>
  created_at: DefaultInstant
}

export interface Principals {
  tenant_id: TenantId
  id: PrincipalId
  kind: 'person' | 'service' | 'policy'
  name: string
  created_at: DefaultInstant
}

export interface Keys {
  tenant_id: TenantId
  id: KeyId
  principal_id: PrincipalId
  name: string
  secret_hash: string
  scopes: KeyScope[]
  created_at: DefaultInstant
  expires_at: NullableInstant
  revoked_at: NullableInstant
  last_used_at: NullableInstant
}

export interface Modules {
  tenant_id: TenantId
  id: ModuleId
  key: string
  phase: string
  name: string
  purpose: string
  steps: string[]
  inputs: string[]
  outputs: string[]
  created_by: string
  created_at: DefaultInstant
}

export interface Entitlements {
  tenant_id: TenantId
  body: JsonColumn
  written_by: string
  written_at: DefaultInstant
}

export interface Workers {
  id: WorkerId
  host: string
  pid: number
  version: string
  capacity: Generated<number>
  started_at: DefaultInstant
  alive_until: Instant
}

export interface StageControlRows {
  stage: ControlName
  paused: Generated<boolean>
  concurrency: Nullable<number>
  reason: Generated<string>
  changed_by: Generated<string>
  changed_at: DefaultInstant
}

export interface ProbeRows {
  endpoint: string
  api: 'responses' | 'chat'
  model: string
  /** JSON. */
  capabilities: string
  probed_at: Instant
}

export interface Blobs {
  tenant_id: TenantId
  sha256: string
  key_id: Nullable<string>
  bytes: Nullable<Buffer>
  erased_at: NullableInstant
  created_at: DefaultInstant
}

export interface Sources {
  tenant_id: TenantId
  id: SourceId
  name: string
  mapping: DefaultJson
  created_at: DefaultInstant
}

export interface EvidenceItems {
  tenant_id: TenantId
  source_id: SourceId
  item_id: string
  revision: number
  hash: string
  published_at: Instant
  first_imported_at: DefaultInstant
}

export interface EvidenceRevisions {
  tenant_id: TenantId
  source_id: SourceId
  item_id: string
  revision: number
  hash: string
  published_at: Instant
  imported_at: DefaultInstant
}

export interface Specifications {
  tenant_id: TenantId
  id: SpecificationId
  kind: DocumentKindName
  name: string
  external_id: Nullable<string>
  state: Generated<SpecificationState>
  revision: Generated<number>
  created_by: string
  activated_by: Nullable<string>
  activated_at: NullableInstant
  paused_because: Nullable<string>
  next_due_at: NullableInstant
  created_at: DefaultInstant
  updated_at: DefaultInstant
}

export interface SpecificationRevisions {
  tenant_id: TenantId
  specification_id: SpecificationId
  revision: number
  body: string
  hash: string
  /** Read out of the body by the database. */
  cadence: Computed<Cadence>
  created_by: string
  created_at: DefaultInstant
}

export interface SlotRows {
  tenant_id: TenantId
  specification_id: SpecificationId
  period_key: string
  ordinal: Generated<number>
  state: SlotState
  run_id: Nullable<RunId>
  window_from: Instant
  window_to: Instant
  cadence: Cadence
  time_zone: string
  due_at: NullableInstant
  retry_at: NullableInstant
  deadline_at: NullableInstant
  failures: Generated<number>
  reason: Nullable<string>
  granted_by: Nullable<string>
  created_at: DefaultInstant
  updated_at: DefaultInstant
}

export interface Runs {
  tenant_id: TenantId
  id: RunId
  specification_id: SpecificationId
  revision: number
  state: RunState
  epoch: Generated<number>
  next_stage: Generated<StageName>
  tries: Generated<number>
  crashes: Generated<number>
  readds: Generated<number>
  mark_worker_id: Nullable<WorkerId>
  progress_at: NullableInstant
  park_reason: Nullable<ParkReason>
  wake_at: NullableInstant
  park_provider: Nullable<string>
  trigger: Trigger
  lane: Generated<Lane>
  test: Generated<boolean>
  fresh: Generated<boolean>
  narrow: NullableJson
  period: Nullable<string>
  period_key: Nullable<string>
  ordinal: Generated<number>
  on_conflict: Generated<RunRequest['onConflict']>
  origin: NullableJson
  metadata: DefaultJson
  external_id: Nullable<string>
  deadline_at: NullableInstant
  requested_by: string
  cancelled_by: Nullable<string>
  error_code: Nullable<ErrorCode>
  error_params: NullableJson
  error_detail: Nullable<string>
  event_seq: Generated<number>
  document_id: Nullable<DocumentId>
  score: Nullable<number>
  created_at: DefaultInstant
  started_at: NullableInstant
  finished_at: NullableInstant
}

export interface RunEvents {
  tenant_id: TenantId
  run_id: RunId
  seq: number
  type: EventName
  data: JsonColumn
  at: DefaultInstant
}

export interface StageOutputs {
  tenant_id: TenantId
  run_id: RunId
  stage: StageName
  epoch: number
  worker_id: WorkerId
  output: string
  duration_ms: number
  at: DefaultInstant
}

export interface StageTries {
  tenant_id: TenantId
  run_id: RunId
  stage: StageName
  epoch: number
  try: number
  worker_id: WorkerId
  code: ErrorCode
  duration_ms: number
  at: DefaultInstant
}

export type CallState = 'booked' | 'open' | 'settled' | 'released' | 'unknown' | 'charged'

export interface EngineCalls {
  tenant_id: TenantId
  run_id: RunId
  call_key: string
  seq: number
  specification_id: SpecificationId
  stage: StageName
  cause: string
  epoch: number
  worker_id: WorkerId
  state: CallState
  provider: string
  model: string
  served_model: Nullable<string>
  tier: Nullable<string>
  call: string
  request_hash: string
  package_hash: string
  hold_micro_usd: number
  hold_tokens: number
  hold_day: string
  hold_month: string
  outcome: Nullable<string>
  reason: Nullable<string>
  input_tokens: Nullable<number>
  cached_input_tokens: Nullable<number>
  output_tokens: Nullable<number>
  estimated: Nullable<boolean>
  cost_micro_usd: Nullable<number>
  engine_ms: Nullable<number>
  provider_request_id: Nullable<string>
  output_hash: Nullable<string>
  opened_at: DefaultInstant
  closed_at: NullableInstant
  unknown_at: NullableInstant
}

export interface CallClaims {
  tenant_id: TenantId
  run_id: RunId
  call_key: string
  seq: number
  worker_id: Nullable<WorkerId>
  opened_at: DefaultInstant
}

export type BudgetLevel = 'root' | 'specification' | 'tenant_day' | 'tenant_month'

export interface Budgets {
  tenant_id: TenantId
  level: BudgetLevel
  subject: string
  period: Generated<string>
  limit_micro_usd: Nullable<number>
  limit_tokens: Nullable<number>
  held_micro_usd: Generated<number>
  held_tokens: Generated<number>
  spent_micro_usd: Generated<number>
  spent_tokens: Generated<number>
  overrun_micro_usd: Generated<number>
  overrun_tokens: Generated<number>
  finish_micro_usd: Generated<number>
  finish_tokens: Generated<number>
  repaired_micro_usd: Generated<number>
  repaired_tokens: Generated<number>
  blocked: Generated<number>
  version: Generated<number>
}

export interface BudgetLimits {
  tenant_id: TenantId
  level: Exclude<BudgetLevel, 'root'>
  subject: string
  limit_micro_usd: Nullable<number>
  limit_tokens: Nullable<number>
  set_by: string
  set_at: DefaultInstant
}

export interface ProviderLimits {
  provider: string
  limit_micro_usd: Nullable<number>
  set_by: string
  set_at: DefaultInstant
}

export interface BudgetAlerts {
  tenant_id: TenantId
  level: BudgetLevel
  subject: string
  period: string
  unit: 'micro_usd' | 'tokens'
  percent: number
  limit_amount: number
  run_id: Nullable<RunId>
  told: Generated<boolean>
  at: DefaultInstant
}

export interface ProviderAlerts {
  provider: string
  day: string
  percent: number
  limit_amount: number
  run_id: Nullable<RunId>
  told: Generated<boolean>
  at: DefaultInstant
}

export interface BudgetOverruns {
  tenant_id: TenantId
  run_id: RunId
  call_key: string
  seq: number
  specification_id: SpecificationId
  provider: string
  hold_day: string
  micro_usd: number
  /** Levels that take no further hold until this is acknowledged. */
  blocks: string[]
  at: DefaultInstant
  acknowledged_at: NullableInstant
  acknowledged_by: Nullable<string>
  reason: Nullable<string>
}

export interface ProviderBudgets {
  provider: string
  day: string
  limit_micro_usd: Nullable<number>
  held_micro_usd: Generated<number>
  spent_micro_usd: Generated<number>
  overrun_micro_usd: Generated<number>
  blocked: Generated<number>
  version: Generated<number>
}

export interface TenantRates {
  tenant_id: TenantId
  requests_per_minute: Nullable<number>
  tokens_per_minute: Nullable<number>
  set_by: string
  set_at: DefaultInstant
}

export interface SpendStops {
  id: Computed<number>
  scope: 'all' | 'tenant' | 'own' | 'provider'
  subject: string
  reason: string
  stopped_by: string
  stopped_at: DefaultInstant
  resumed_by: Nullable<string>
  resumed_at: NullableInstant
}

export interface ProviderCircuits {
  provider: string
  state: 'closed' | 'open' | 'half_open'
  reason: string
  failures: Generated<number>
  opened_at: NullableInstant
  next_probe_at: NullableInstant
  probe_tenant_id: Nullable<TenantId>
  probe_run_id: Nullable<RunId>
  probe_until: NullableInstant
  changed_by: string
  changed_at: DefaultInstant
}

export interface Versions {
  tenant_id: TenantId
  id: VersionId
  run_id: RunId
  document_id: DocumentId
  label: string
  parents: Generated<VersionId[]>
  depth: Generated<number>
  content_hash: string
  package_hash: string
  score: number
  /** Canonical JSON. */
  evaluation: string
  created_at: DefaultInstant
}

export interface RefinementRoots {
  tenant_id: TenantId
  run_id: RunId
  document_id: DocumentId
  package_hash: string
  /** Canonical JSON, and its hash. */
  limits: string
  limits_hash: string
  policy: string
  requested_by: string
  self_approval: boolean
  acts: Generated<number>
  depth: Generated<number>
  children: Generated<number>
  bests: JsonColumn
  stop_reason: Nullable<StopReason>
  opened_at: DefaultInstant
  ended_at: NullableInstant
}

export interface Generations {
  tenant_id: TenantId
  run_id: RunId
  generation: number
  kind: GenerationKind
  children: number
  remaining: number
  parent_version_id: VersionId
  snapshot: string
  snapshot_hash: string
  limits_hash: string
  checkpoint_id: Nullable<CheckpointId>
  estimate_micro_usd: number
  estimate_tokens: number
  merge: Nullable<'accepted' | 'rejected' | 'none'>
  merged_version_id: Nullable<VersionId>
  booked_at: DefaultInstant
  finished_at: NullableInstant
  merged_at: NullableInstant
}

export interface Variants {
  tenant_id: TenantId
  run_id: RunId
  generation: number
  ordinal: number
  call_key: string
  strategy: string
  state: Generated<VariantState>
  worker_id: Nullable<WorkerId>
  crashes: Generated<number>
  readds: Generated<number>
  progress_at: DefaultInstant
  version_id: Nullable<VersionId>
  score: Nullable<number>
  error_code: Nullable<string>
  because: Nullable<string>
  cost_micro_usd: Nullable<number>
  tokens: Nullable<number>
  closed_at: NullableInstant
}

export interface Checkpoints {
  tenant_id: TenantId
  id: CheckpointId
  run_id: RunId
  generation: number
  kind: GenerationKind
  children: number
  estimate_micro_usd: number
  estimate_tokens: number
  snapshot: string
  reached: string
  snapshot_hash: string
  limits_hash: string
  requested_by: string
  requested_at: DefaultInstant
  expires_at: Instant
  reminded_at: NullableInstant
  decision: Nullable<CheckpointDecision>
  decided_by: Nullable<string>
  decided_at: NullableInstant
  reason: Nullable<string>
  used_at: NullableInstant
}

export interface CheckpointLoans {
  tenant_id: TenantId
  checkpoint_id: CheckpointId
  principal_id: PrincipalId
  lent_by: string
  lent_at: DefaultInstant
}

export interface Artifacts {
  tenant_id: TenantId
  id: ArtifactId
  run_id: RunId
  version_id: VersionId
  specification_id: SpecificationId
  period_key: Nullable<string>
  format: string
  sha256: string
  bytes: number
  test: boolean
  classification: Generated<'non_operational_output'>
  engine: string
  model: string
  score: number
  terminology_version: string
  audit_seq: number
  audit_hash: string
  created_at: DefaultInstant
}

export interface ArtifactSets {
  tenant_id: TenantId
  run_id: RunId
  specification_id: SpecificationId
  period_key: Nullable<string>
  current: boolean
  superseded_by: Nullable<RunId>
  retracted_at: NullableInstant
  retracted_by: Nullable<string>
  retracted_because: Nullable<string>
  created_at: DefaultInstant
}

export interface Deliveries {
  tenant_id: TenantId
  id: DeliveryId
  run_id: RunId
  deliverer: string
  state: Generated<'pending' | 'succeeded' | 'failed'>
  attempts: Generated<number>
  next_attempt_at: NullableInstant
  claimed_by: Nullable<WorkerId>
  claimed_at: NullableInstant
  last_error: Nullable<string>
  detail: NullableJson
  created_at: DefaultInstant
  finished_at: NullableInstant
}

export interface AuditEvents {
  tenant_id: TenantId
  id: AuditId
  /** Whole milliseconds: the instant as it stands in the hashed text. */
  at: Instant
  actor: string
  action: AuditAction
  subject: string
  /** Canonical JSON. */
  detail: string
}

export interface AuditChain {
  tenant_id: TenantId
  seq: number
  event_id: AuditId
  previous_hash: string
  hash: string
  linked_at: DefaultInstant
}

/** The chain loop's work list: filled by a trigger on audit_events. */
export interface AuditUnchained {
  tenant_id: TenantId
  event_id: AuditId
}

export interface IdempotencyKeys {
  tenant_id: TenantId
  route: string
  key: string
  body_hash: string
  status: Nullable<number>
  response: Nullable<string>
  created_at: DefaultInstant
}

export interface Operators {
  id: OperatorId
  name: string
  created_at: DefaultInstant
}

export interface OperatorKeys {
  id: KeyId
  operator_id: OperatorId
  name: string
  secret_hash: string
  scopes: OperatorScope[]
  created_at: DefaultInstant
  expires_at: NullableInstant
  revoked_at: NullableInstant
  last_used_at: NullableInstant
}

export interface OperatorActs {
  id: AuditId
  at: Instant
  actor: string
  action: OperatorAction
  subject: string
  detail: string
}

export interface Schema {
  tenants: Tenants
  principals: Principals
  keys: Keys
  modules: Modules
  entitlements: Entitlements
  workers: Workers
  stage_controls: StageControlRows
  probes: ProbeRows
  blobs: Blobs
  sources: Sources
  evidence_items: EvidenceItems
  evidence_revisions: EvidenceRevisions
  specifications: Specifications
  specification_revisions: SpecificationRevisions
  slots: SlotRows
  runs: Runs
  run_events: RunEvents
  stage_outputs: StageOutputs
  stage_tries: StageTries
  engine_calls: EngineCalls
  call_claims: CallClaims
  budgets: Budgets
  provider_budgets: ProviderBudgets
  budget_limits: BudgetLimits
  provider_limits: ProviderLimits
  budget_alerts: BudgetAlerts
  provider_alerts: ProviderAlerts
  budget_overruns: BudgetOverruns
  tenant_rates: TenantRates
  spend_stops: SpendStops
  provider_circuits: ProviderCircuits
  versions: Versions
  refinement_roots: RefinementRoots
  generations: Generations
  variants: Variants
  checkpoints: Checkpoints
  checkpoint_loans: CheckpointLoans
  artifacts: Artifacts
  artifact_sets: ArtifactSets
  deliveries: Deliveries
  audit_events: AuditEvents
  audit_chain: AuditChain
  audit_unchained: AuditUnchained
  idempotency_keys: IdempotencyKeys
  operators: Operators
  operator_keys: OperatorKeys
  operator_acts: OperatorActs
}
