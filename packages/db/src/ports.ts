import type { CommitStage, Operations, Ports, RunStore } from '@almanac/pipeline'
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
import type { Database } from './pool.ts'
import { createRunStore } from './run-store.ts'
import { createSchedules } from './schedules.ts'
import { createSlots } from './slots.ts'
import { createStageControls } from './stage-controls.ts'
import { createSweep } from './sweep.ts'

/** The pipeline's ports that Postgres implements. */
export type DatabasePorts = Pick<
  Ports,
  'specifications' | 'slots' | 'evidence' | 'history' | 'content' | 'ledger'
> &
  RunStore &
  CommitStage

/** Everything that stages and runner need of the database; content goes through `codec`. */
export function createPorts(
  db: Database,
  { codec = plainCodec }: { codec?: Codec } = {},
): DatabasePorts {
  return {
    specifications: createSpecifications(db),
    slots: createSlots(db),
    evidence: createEvidenceStore(db, codec),
    history: createHistory(db),
    content: createContent(db, codec),
    ledger: createLedger(db),
    ...createRunStore(db),
    ...createCommitStage(db),
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
    controls: createStageControls(db),
  }
}
