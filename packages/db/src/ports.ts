import type { BudgetListener, CommitStage, Operations, Ports, RunStore } from '@almanac/pipeline'
import { createAdmission } from './admission.ts'
import { createSpecifications } from './bound-specification.ts'
import { createChain } from './chain.ts'
import { plainCodec, type Codec } from './codec.ts'
import { createCommitStage } from './commit-stage.ts'
import { createContent } from './content.ts'
import { createDeliveries } from './deliveries.ts'
import { createEvidenceStore } from './evidence-store.ts'
import { createHistory } from './history.ts'
import { createLeadership } from './leadership.ts'
import { createLeases } from './leases.ts'
import { createLedger } from './ledger.ts'
import { createMarks } from './marks.ts'
import { createRefinement } from './refinement/create-refinement.ts'
import { createModuleRegistry } from './module-registry.ts'
import type { Database } from './pool.ts'
import { createRunStore } from './run-store.ts'
import { createSchedules } from './schedules.ts'
import { createSlots } from './slots.ts'
import { createStageControls } from './stage-controls.ts'
import { createSweep } from './sweep.ts'
import { createVariants } from './refinement/variants.ts'

/** The pipeline's ports that Postgres implements. */
export type DatabasePorts = Pick<
  Ports,
  | 'specifications'
  | 'slots'
  | 'evidence'
  | 'history'
  | 'modules'
  | 'content'
  | 'ledger'
  | 'refinement'
> &
  RunStore &
  CommitStage

/**
 * Everything that stages and runner need of the database; content goes through `codec`, and `budgets`
 * is told of every commit of the ledger.
 */
export function createPorts(
  db: Database,
  { codec = plainCodec, budgets }: { codec?: Codec; budgets?: BudgetListener } = {},
): DatabasePorts {
  const ledger = createLedger(db, codec, budgets)
  return {
    specifications: createSpecifications(db),
    slots: createSlots(db),
    evidence: createEvidenceStore(db, codec),
    history: createHistory(db),
    modules: createModuleRegistry(db),
    content: createContent(db, codec),
    ledger,
    refinement: createRefinement(db, ledger),
    ...createRunStore(db),
    ...createCommitStage(db, codec),
  }
}

/** Everything that the workers' loops need of the database. */
export function createOperations(db: Database): Operations {
  return {
    leadership: createLeadership(db),
    leases: createLeases(db),
    admission: createAdmission(db),
    sweep: createSweep(db),
    marks: createMarks(db),
    schedules: createSchedules(db),
    deliveries: createDeliveries(db),
    chain: createChain(db),
    variants: createVariants(db),
    controls: createStageControls(db),
  }
}
