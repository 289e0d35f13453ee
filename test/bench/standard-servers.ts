import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startEmbeddedPostgres } from '@almanac/runtime'
import { asSuperuser, databaseUrl } from '../support/postgres-server.ts'
import { findOwnRedis } from '../support/redis.ts'
import type { Profile, Servers } from './profile.ts'

/**
 * Postgres with `synchronous_commit = on`, and for the profile `standard` Redis with its append-only file.
 * In the profile `embedded` Almanac starts a Postgres of its own; this one is for what is measured apart.
 */
export async function openStandard(profile: Profile): Promise<Servers> {
  const folder = await mkdtemp(join(tmpdir(), 'almanac-bench-'))
  await chmod(folder, 0o755)
  const log = { info: () => undefined, warn: () => undefined }
  const postgres = await startEmbeddedPostgres({ dataDir: join(folder, 'data'), log })
  const redis = profile === 'standard' ? await findOwnRedis('the standard profile') : undefined
  if (profile === 'standard' && !redis) throw new Error('the standard profile needs a redis-server')
  let round = 0
  return {
    fresh: async () => {
      const name = `round_${++round}`
      await asSuperuser(postgres.url, (client) => client.query(`create database ${name}`))
      const url = databaseUrl(postgres.url, name)
      if (!redis) return { env: {}, databaseUrl: url }
      const redisUrl = `${redis.url}/${round}`
      return { env: { DATABASE_URL: url, REDIS_URL: redisUrl }, databaseUrl: url, redisUrl }
    },
    close: async () => {
      await redis?.stop()
      await postgres.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
