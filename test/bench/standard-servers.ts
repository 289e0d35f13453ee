import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startEmbeddedPostgres } from '@almanac/runtime'
import { asSuperuser, databaseUrl } from '../support/postgres-server.ts'
import { findOwnRedis } from '../support/redis.ts'
import type { Servers } from './profile.ts'

/** Postgres with `synchronous_commit = on` and Redis with its append-only file, on this machine. */
export async function openStandard(): Promise<Servers> {
  const folder = await mkdtemp(join(tmpdir(), 'almanac-bench-'))
  await chmod(folder, 0o755)
  const log = { info: () => undefined, warn: () => undefined }
  const postgres = await startEmbeddedPostgres({ dataDir: join(folder, 'data'), log })
  const redis = await findOwnRedis('the standard profile')
  if (!redis) throw new Error('the standard profile needs a redis-server')
  let round = 0
  return {
    fresh: async () => {
      const name = `round_${++round}`
      await asSuperuser(postgres.url, (client) => client.query(`create database ${name}`))
      const DATABASE_URL = databaseUrl(postgres.url, name)
      return { env: { DATABASE_URL, REDIS_URL: `${redis.url}/${round}` } }
    },
    close: async () => {
      await redis.stop()
      await postgres.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
