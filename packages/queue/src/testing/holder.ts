/**
 * A process that takes execute jobs and never ends them, to be killed or frozen by a test.
 * Arguments: the options of `createQueueBackend` as JSON. It writes a line for every job it takes.
 */
import { createQueueBackend } from '../create-queue-backend.ts'

const onError = (error: unknown) => {
  process.stderr.write(`${String(error)}\n`)
}
const given = JSON.parse(process.argv[2] ?? '{}') as { databaseUrl: string }
const backend = await createQueueBackend({ ...given, onError })
backend.stageWorker('execute', {
  concurrency: 4,
  onError,
  process: ({ runId }) => {
    process.stdout.write(`${runId}\n`)
    return new Promise(() => undefined)
  },
})
