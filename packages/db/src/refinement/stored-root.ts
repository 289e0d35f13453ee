import {
  checkpointPolicy,
  documentId,
  generationKinds,
  refinementLimits,
  specificationId,
  variantStates,
  versionId,
  type DocumentId,
  type GenerationKind,
  type RefinementLimits,
  type SpecificationId,
  type VariantState,
  type VersionId,
} from '@almanac/domain'
import {
  amount,
  lineage,
  type Amount,
  type CheckpointPolicy,
  type Lineage,
} from '@almanac/refinement'
import { sql } from 'kysely'
import { z } from 'zod'
import { persist } from '../group-calls.ts'
import type { Database, Trx } from '../pool.ts'
import type { RootClaim } from './root-key.ts'

/** A variant as the merge needs it; a version only of those that are done. */
export interface StoredVariant {
  ordinal: number
  strategy: string
  state: VariantState
  version: { id: VersionId; label: string; contentHash: string; score: number } | null
  errorCode: string | null
}

/** A root as stored, under its run's lock. */
export interface StoredRoot {
  specificationId: SpecificationId
  /** The revision that the run is bound to: the principal of its policy. */
  revision: number
  documentId: DocumentId
  packageHash: string
  limits: RefinementLimits
  limitsHash: string
  policy: CheckpointPolicy
  requestedBy: string
  lineage: Lineage
  /** What the policy has already approved for this root. */
  granted: Amount
  /** The parts of the document that were to be expanded so far. */
  expanded: string[]
  /** The generation that waits to be merged; null when there is none. */
  generation: {
    generation: number
    kind: GenerationKind
    parentId: VersionId
    variants: StoredVariant[]
  } | null
}

const variant = z
  .strictObject({
    ordinal: z.int(),
    strategy: z.string(),
    state: z.enum(variantStates),
    versionId: z.nullable(versionId),
    score: z.nullable(z.number()),
    errorCode: z.nullable(z.string()),
    contentHash: z.nullable(z.string()),
    label: z.nullable(z.string()),
  })
  .transform(({ versionId: id, score, contentHash, label, ...rest }) => ({
    ...rest,
    version:
      id !== null && score !== null && contentHash !== null && label !== null
        ? { id, label, contentHash, score }
        : null,
  }))

const json = z.string().transform((text): unknown => JSON.parse(text))

const stored = z.strictObject({
  specificationId,
  revision: z.int(),
  documentId,
  packageHash: z.string(),
  limits: json.pipe(refinementLimits),
  limitsHash: z.string(),
  policy: json.pipe(checkpointPolicy),
  requestedBy: z.string(),
  lineage,
  granted: amount,
  expanded: z.array(z.string()),
  generation: z.nullable(
    z.strictObject({
      generation: z.int(),
      kind: z.enum(generationKinds),
      parentId: versionId,
      variants: z.array(variant),
    }),
  ),
})

/**
 * Locks a root's run and reads what is stored of it; undefined when the claim is stale or there is no
 * root. Variants that are still open are cancelled, and a checkpoint that nobody answered has expired:
 * the run came back because it waits for them no longer.
 */
export async function lockRoot(trx: Trx, claim: RootClaim): Promise<StoredRoot | undefined> {
  return rootOf((await locking(claim).execute(trx)).rows)
}

/** The same in one round trip, where nothing else is to be done under the lock. */
export async function resumeRoot(db: Database, claim: RootClaim): Promise<StoredRoot | undefined> {
  return rootOf(await persist(() => db.querySystem('refinement', locking(claim))))
}

const locking = ({ tenantId, runId, epoch }: RootClaim) =>
  sql<{ root: unknown }>`select lock_root(${tenantId}, ${runId}, ${epoch}::integer) as root`

const rootOf = ([row]: readonly { root: unknown }[]): StoredRoot | undefined =>
  row?.root === null || row?.root === undefined ? undefined : stored.parse(row.root)
