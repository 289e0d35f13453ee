import { connectDatabase, migrate, type Database } from '@almanac/db'
import { startEmbeddedPostgres } from '@almanac/runtime'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A migrated Postgres of a benchmark's own, with the settings that Almanac starts it with. */
export async function openOwnDatabase(): Promise<{
  db: Database
  url: string
  close(): Promise<void>
}> {
  const folder = await mkdtemp(join(tmpdir(), 'almanac-bench-'))
  // Started by root, the server runs as another user.
  await chmod(folder, 0o755)
  const log = { info: () => undefined, warn: () => undefined }
  const server = await startEmbeddedPostgres({ dataDir: join(folder, 'data'), log })
  await migrate({ url: server.url })
  const db = await connectDatabase({ url: server.url })
  return {
    db,
    url: server.url,
    close: async () => {
      await db.close()
      await server.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
