import { canonicalJson, type CheckpointId } from '@almanac/domain'
import { newId } from '@almanac/domain/ids'
import type { WantedGeneration } from '@almanac/pipeline'
import {
  answerByPolicy,
  createChildCall,
  decideCall,
  policyPrincipal,
  refusal,
  refusalError,
  snapshotHash,
  type Amount,
  type CheckpointNeeded,
  type ChildCall,
  type Refusal,
  type Snapshot,
} from '@almanac/refinement'
import { sql } from 'kysely'
import { persist } from '../group-calls.ts'
import { toHoldRequests } from '../ledger.ts'
import type { Database, Trx } from '../pool.ts'
import { actFields, recordRootAct } from './acts.ts'
import type { RootClaim } from './root-key.ts'
import { lockRoot, type StoredRoot } from './stored-root.ts'

export type Prepared =
  /** The run is parked; its children's jobs are to be enqueued. */
  | { kind: 'booked'; snapshot: Snapshot; calls: ChildCall[] }
  /** The run is parked until somebody decides. */
  | { kind: 'waiting'; checkpointId: CheckpointId }
  /** Spending is stopped: nothing was booked, and the run is the caller's to park. */
  | { kind: 'stopped' }
  /** The run is somebody else's by now: there is nothing to do. */
  | { kind: 'stale' }

type Result = Prepared | { kind: 'refused'; refusal: Refusal }

/**
 * Prepares a generation in one transaction: locks the run, reads its lineage, lets the guard decide, and
 * books all children with all their holds, or nothing. Throws REFINEMENT_REFUSED, after it was recorded;
 * `refusalOf` tells from it why the refinement ends.
 */
export async function prepareCall(
  db: Database,
  claim: RootClaim,
  wanted: WantedGeneration,
): Promise<Prepared> {
  const result = await persist(() =>
    db.withSystem('refinement', (trx) => prepare(trx, claim, wanted)),
  )
  if (result.kind === 'refused') throw refusalError(result.refusal)
  return result
}

async function prepare(trx: Trx, claim: RootClaim, wanted: WantedGeneration): Promise<Result> {
  const root = await lockRoot(trx, claim)
  if (!root) return { kind: 'stale' }
  const call = {
    kind: wanted.kind,
    children: wanted.children.length,
    estimate: sum(wanted.children.map(({ estimate }) => estimate)),
    termination: wanted.termination,
    ...(wanted.verdicts && { verdicts: wanted.verdicts }),
  }
  const decision = decideCall(root.lineage, root.limits, call)
  if (decision.kind === 'refused') return refuse(trx, claim, root, decision.refusal)
  if (decision.kind === 'granted') {
    const { snapshot, checkpointId } = decision
    return book(trx, claim, root, wanted, call.estimate, snapshot, checkpointId)
  }

  const answer = answerByPolicy(root.policy, {
    lineage: root.lineage,
    decay: root.limits.decay,
    estimate: call.estimate,
    granted: root.granted,
  })
  const checkpointId = await request(
    trx,
    claim,
    root,
    decision.needed,
    call,
    answer.answer === 'wait',
  )
  if (answer.answer === 'wait') return { kind: 'waiting', checkpointId }
  await sql`select decide_checkpoint(${claim.tenantId}, ${checkpointId}, ${answer.answer},
    ${policyPrincipal(root.revision)}, ${answer.reason})`.execute(trx)
  const { limitsHash, snapshotHash: hash } = decision.needed
  const checkpoint = { id: checkpointId, limitsHash, snapshotHash: hash, used: false }
  const again = decideCall(
    { ...root.lineage, checkpoint: { ...checkpoint, decision: answer.answer } },
    root.limits,
    call,
  )
  if (again.kind === 'refused') return refuse(trx, claim, root, again.refusal)
  if (again.kind === 'checkpoint') throw new Error('a decided call needs another decision')
  return book(trx, claim, root, wanted, call.estimate, again.snapshot, checkpointId)
}

async function refuse(
  trx: Trx,
  claim: RootClaim,
  { lineage }: StoredRoot,
  refused: Refusal,
): Promise<Result> {
  await recordRootAct(trx, claim, 'system', 'refinement.refused', {
    generation: lineage.depth + 1,
    ...refused,
  })
  return { kind: 'refused', refusal: refused }
}

async function request(
  trx: Trx,
  { tenantId, runId }: RootClaim,
  { limits, lineage, requestedBy }: StoredRoot,
  needed: CheckpointNeeded,
  {
    kind,
    children,
    estimate,
  }: Pick<WantedGeneration, 'kind'> & { children: number; estimate: Amount },
  waits: boolean,
): Promise<CheckpointId> {
  const id = newId('checkpoint')
  const byPolicy = Date.parse(lineage.now) + limits.checkpointExpiryMinutes * 60_000
  const deadline = lineage.deadlineAt === null ? Infinity : Date.parse(lineage.deadlineAt)
  const expiresAt = new Date(Math.min(byPolicy, deadline)).toISOString()
  const { facts, reached, snapshotHash: hash, limitsHash } = needed
  const generation = facts.depth
  const hashes = { snapshotHash: hash, limitsHash }
  const asked = {
    id,
    generation,
    kind,
    children,
    estimate,
    snapshot: canonicalJson(facts),
    reached: canonicalJson(reached),
    expiresAt,
    ...hashes,
    act: actFields('checkpoint.requested', {
      checkpointId: id,
      generation,
      requestedBy,
      expiresAt,
      reached,
      ...hashes,
    }),
  }
  await sql`select request_checkpoint(${tenantId}, ${runId}, ${JSON.stringify(asked)}::jsonb, ${waits})`.execute(
    trx,
  )
  return id
}

async function book(
  trx: Trx,
  claim: RootClaim,
  root: StoredRoot,
  { kind, children, holdOf, waitMs, verdicts = [] }: WantedGeneration,
  estimate: Amount,
  snapshot: Snapshot,
  checkpointId: string | null,
): Promise<Result> {
  const calls = children.map(({ estimate: _own, ...child }, i) =>
    createChildCall(snapshot, { ...child, ordinal: i + 1, kind }),
  )
  const holds = calls.map((call, i) => {
    const child = children[i]
    if (!child) throw new Error('a child is missing')
    return { ...holdOf(call, i), callKey: call.callKey, estimate: child.estimate }
  })
  const generation = snapshot.depth
  const hash = snapshotHash(snapshot, { kind, children: calls.length, estimate })
  const booking = {
    kind,
    generation,
    estimate,
    parentId: snapshot.parentId,
    snapshot: canonicalJson(snapshot),
    snapshotHash: hash,
    limitsHash: root.limitsHash,
    checkpointId,
    waitMs,
    children: calls.map(({ ordinal, callKey, strategy }) => ({ ordinal, callKey, strategy })),
    act: actFields('refinement.granted', {
      generation,
      kind,
      children: calls.length,
      estimate,
      snapshot: { ...snapshot },
      snapshotHash: hash,
      limitsHash: root.limitsHash,
      checkpointId: checkpointId as CheckpointId | null,
      ...(verdicts.length > 0 && { verdicts: [...verdicts] }),
    }),
  }
  const { rows } = await sql<{ short: Short | null }>`select book_generation(${claim.tenantId},
    ${claim.runId}, ${JSON.stringify(booking)}::jsonb,
    ${toHoldRequests(holds)}::hold_request[]) as short`.execute(trx)
  const short = rows[0]?.short
  if (!short) return { kind: 'booked', snapshot, calls }
  if (short.outcome === 'stopped') return { kind: 'stopped' }
  if (short.outcome !== 'refused') throw new Error(`a new hold is ${short.outcome}`)
  const { level, unit, needed, left_over } = short
  const limit = `${level ?? ''} ${unit ?? ''}`.trim()
  return refuse(trx, claim, root, refusal('BUDGET_EXHAUSTED', limit, needed, left_over))
}

/** The first hold that was not granted, as `hold_calls` answers it. */
interface Short {
  outcome: string
  level: string | null
  unit: string | null
  needed: number | null
  left_over: number | null
}

const sum = (amounts: readonly Amount[]): Amount =>
  amounts.reduce(
    (all, one) => ({ microUsd: all.microUsd + one.microUsd, tokens: all.tokens + one.tokens }),
    { microUsd: 0, tokens: 0 },
  )
