import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startEmbeddedPostgres } from '@almanac/runtime'

/** A Postgres of one's own: a test may halt it and start it again under the feet of its clients. */
export interface OwnPostgres {
  url: string
  /** Stops the server and keeps its data. */
  halt(): Promise<void>
  /** Starts it again on the same port and data. */
  start(): Promise<void>
  /** Stops the server and removes its data. */
  stop(): Promise<void>
}

const log = { info: () => undefined, warn: () => undefined }

/** Starts a server with an empty database in a folder of its own. */
export async function startOwnPostgres(): Promise<OwnPostgres> {
  const folder = await mkdtemp(join(tmpdir(), 'almanac-postgres-'))
  // Started by root, the server runs as another user.
  await chmod(folder, 0o755)
  const open = () => startEmbeddedPostgres({ dataDir: join(folder, 'data'), log })
  let server = await open()
  return {
    url: server.url,
    halt: () => server.stop(),
    start: async () => {
      server = await open()
    },
    stop: async () => {
      await server.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
