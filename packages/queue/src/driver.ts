import type { BackendFactory, IQueueBackend } from 'bullmq'
import type { QueueName } from './job-identity.ts'

/**
 * What differs between BullMQ on Redis and BullMQ on Postgres; everything above it is the same code.
 * `C` is what the backend's factory takes as its connection.
 */
export interface Driver<C> {
  readonly name: 'redis' | 'postgres'
  /** Host and port, for messages; never the password. */
  readonly where: string
  readonly factory: BackendFactory<IQueueBackend, C>
  /** Makes the backend that adds jobs of several stages in one statement, where there is one. */
  readonly together?: BackendFactory<IQueueBackend, C>
  /** The connection that adds jobs: it fails fast. */
  readonly producer: C
  /** The connection that takes jobs: it waits for the server to come back. Opened when first used. */
  consumer(): C
  /** The key prefix of a stage's queue, where there are keys. */
  prefix(stage: QueueName): string | undefined
  ping(): Promise<unknown>
  /** Which of the ids are jobs of the stage in whatever state; `toKey` makes a job's key of its id. */
  existing(
    stage: QueueName,
    ids: readonly string[],
    toKey: (id: string) => string,
  ): Promise<ReadonlySet<string>>
  close(): Promise<void>
}

/** One short phrase that says why a connection failed. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const [first] = error instanceof AggregateError ? (error.errors as unknown[]) : []
  const told = first instanceof Error ? first : error
  const code = 'code' in told && typeof told.code === 'string' ? told.code : ''
  if (code === 'ECONNREFUSED') return 'the connection was refused'
  if (code === 'ENOTFOUND') return 'the host is not known'
  if (told.message.startsWith("Stream isn't writeable")) return 'the connection was lost'
  return told.message || code || told.name
}
