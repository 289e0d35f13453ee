export type { Deliverer } from './deliverer.ts'
export { fileDeliverer } from './file-deliverer.ts'
export { defaultConcurrency, type StageConcurrency } from './stage-concurrency.ts'
export {
  startWorker,
  type RunningWorker,
  type WorkerOptions,
  type WorkerStats,
} from './start-worker.ts'
