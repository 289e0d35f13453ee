export { createBudgetMirror, type BudgetMirror } from './budget-mirror/budget-mirror.ts'
export { createQueueBackend, type QueueBackendOptions } from './create-queue-backend.ts'
export {
  createRedisBuckets,
  type RedisBuckets,
  type RedisBucketsOptions,
} from './rates/redis-buckets.ts'
export { migrateQueue } from './postgres-driver.ts'
export type { QueueName } from './job-identity.ts'
export type {
  Depth,
  JobFate,
  NewJob,
  QueueBackend,
  StageWorker,
  StageWorkerOptions,
  TakenJob,
} from './queue-backend.ts'
