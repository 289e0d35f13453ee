import { startEmbeddedPostgres } from '@almanac/runtime'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from 'pg'

/** A server that tests may do anything to: its superuser's URL, and how to end it. */
export interface TestServer {
  url: string
  stop(): Promise<void>
}

/** The server at TEST_DATABASE_URL (a superuser's), or an embedded one of one's own. */
export async function findServer(): Promise<TestServer> {
  const url = process.env['TEST_DATABASE_URL']
  if (url) return { url, stop: () => Promise.resolve() }
  const folder = await mkdtemp(join(tmpdir(), 'almanac-test-'))
  // Started by root, the server runs as another user, who has to get in.
  await chmod(folder, 0o755)
  const quiet = { info: () => undefined, warn: () => undefined }
  const server = await startEmbeddedPostgres({
    dataDir: join(folder, 'data'),
    refuge: join(folder, 'refuge'),
    log: quiet,
  })
  // Nothing here outlives the run, so nothing need reach the disk.
  await asSuperuser(server.url, async (client) => {
    for (const setting of ['fsync', 'full_page_writes'])
      await client.query(`alter system set ${setting} = off`)
    await client.query('select pg_reload_conf()')
    // The server's own command line says otherwise, and only a role's setting comes before that.
    await client.query('alter role current_user set synchronous_commit = off')
  })
  return {
    url: server.url,
    async stop() {
      await server.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** The URL of another database of the same server. */
export function databaseUrl(url: string, database: string): string {
  const other = new URL(url)
  other.pathname = `/${database}`
  return other.href
}

/** One connection with all rights, for what no role of Almanac may. */
export async function asSuperuser<T>(
  url: string,
  work: (client: Client) => Promise<T>,
): Promise<T> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}
