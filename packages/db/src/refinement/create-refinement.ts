import type { VersionId } from '@almanac/domain'
import type { BudgetLedger, RefinedVersion, Refinement, VariantWork } from '@almanac/pipeline'
import { sql } from 'kysely'
import type { Database } from '../pool.ts'
import { openRoot } from './open-root.ts'
import { prepareCall } from './prepare-call.ts'
import { endRoot, recordMerge } from './settle-root.ts'
import { resumeRoot } from './stored-root.ts'
import { createVariantLedger, createVariants } from './variants.ts'

/**
 * Refinement as the pipeline sees it. `enqueue` is the worker's: without it the jobs of a generation are
 * found by the sweep.
 */
export function createRefinement(db: Database, ledger: BudgetLedger): Refinement {
  const variants = createVariants(db)
  return {
    open: (claim, opening) => openRoot(db, claim, opening),
    resume: (claim) => resumeRoot(db, claim),
    prepare: (claim, wanted) => prepareCall(db, claim, wanted),
    recordMerge: (claim, generation, outcome) => recordMerge(db, claim, generation, outcome),
    end: (claim, stopReason, verdicts) => endRoot(db, claim, stopReason, verdicts),
    versions: ({ tenantId, runId }) =>
      db.querySystem<RefinedVersion>(
        'refinement',
        sql`select v.id, v.label, v.content_hash as "contentHash", v.score, v.depth from versions v
          where v.tenant_id = ${tenantId} and v.run_id = ${runId} order by v.depth, v.id`,
      ),
    enqueue: () => Promise.resolve(),
    begin: (key, workerId) => variants.begin(key, workerId),
    work: async ({ tenantId, runId, generation, ordinal }) => {
      const [row] = await db.querySystem<WorkRow>(
        'refinement',
        sql`select r.epoch, c.call, o.package_hash, p.id, p.label, p.content_hash, p.score, p.depth
          from variants v
          join generations g on g.tenant_id = v.tenant_id and g.run_id = v.run_id
            and g.generation = v.generation
          join versions p on p.tenant_id = g.tenant_id and p.id = g.parent_version_id
          join refinement_roots o on o.tenant_id = v.tenant_id and o.run_id = v.run_id
          join runs r on r.tenant_id = v.tenant_id and r.id = v.run_id
          join engine_calls c on c.tenant_id = v.tenant_id and c.run_id = v.run_id
            and c.call_key = v.call_key
          where v.tenant_id = ${tenantId} and v.run_id = ${runId}
            and v.generation = ${generation}::integer and v.ordinal = ${ordinal}::integer
          order by c.seq desc limit 1`,
      )
      return row && workOf(row)
    },
    finish: (key, outcome) => variants.finish(key, outcome),
    ledger: createVariantLedger(db, ledger),
  }
}

interface WorkRow {
  epoch: number
  call: string
  package_hash: string
  id: VersionId
  label: string
  content_hash: string
  score: number
  depth: number
}

const workOf = ({
  epoch,
  call,
  package_hash: packageHash,
  content_hash: contentHash,
  ...parent
}: WorkRow): VariantWork => ({ epoch, call, packageHash, parent: { ...parent, contentHash } })
