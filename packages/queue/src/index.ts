export { createQueueBackend, type QueueBackendOptions } from './create-queue-backend.ts'
export { migrateQueue } from './postgres-driver.ts'
export type {
  Depth,
  JobFate,
  NewJob,
  QueueBackend,
  StageWorker,
  StageWorkerOptions,
  TakenJob,
} from './queue-backend.ts'
