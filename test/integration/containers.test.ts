import { readdirSync, readFileSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { almanac, newDataDir, removeDataDir } from '../support/almanac-process.ts'
import { findContainers, images } from '../support/containers.ts'
import { asSuperuser } from '../support/postgres-server.ts'

const root = resolve(import.meta.dirname, '../..')
const containers = await findContainers('the standard profile on containers')
const dataDir = newDataDir()

afterAll(async () => {
  removeDataDir(dataDir)
  await containers?.stop()
})

/** In production, so that the checks of the start hold Redis and settings to all that they demand. */
const env = {
  NODE_ENV: 'production',
  DATABASE_URL: containers?.databaseUrl ?? '',
  REDIS_URL: containers?.redisUrl ?? '',
}
const upOnce = () => almanac(['up', '--once', '--data', dataDir, '--port', '0'], { env })

const runStates = () =>
  asSuperuser(env.DATABASE_URL, async (client) => {
    const { rows } = await client.query<{ state: string }>('select state from almanac.runs')
    return rows.map(({ state }) => state)
  })

it('tests the images that docker-compose.yml names', () => {
  const compose = readFileSync(join(root, 'docker-compose.yml'), 'utf8')
  const named = [...compose.matchAll(/^ +image: (\S+)$/gm)].map(([, image]) => image)
  expect(named).toEqual(expect.arrayContaining(Object.values(images)))
})

describe.skipIf(!containers)('the standard profile, on Postgres and Redis in containers', () => {
  it('migrates an empty database, and finds nothing more to do', async () => {
    const migrations = readdirSync(join(root, 'packages/db/src/migrations'))
      .map((file) => basename(file, '.sql'))
      .sort()
    for (const applied of [migrations, []]) {
      const { code, stdout, stderr } = await almanac(['migrate', '--json'], { env })
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
      expect(JSON.parse(stdout)).toEqual({ applied })
    }
  })

  it('makes the sample report: recorded in that Postgres, carried by that Redis', async () => {
    const { code, stdout, stderr } = await upOnce()
    expect(code, stderr).toBe(0)
    const [, file = ''] = /^\s+(\S+report\.html)$/m.exec(stdout) ?? []
    expect(readFileSync(resolve(file), 'utf8')).toContain('SAMPLE')

    expect(await runStates()).toEqual(['succeeded'])
    // Counted with the first job that was added: a run comes into its process through this queue.
    const keys = await containers?.redis.exec(['redis-cli', '--scan', '--pattern', '*almanac*'])
    expect(keys?.output).toMatch(/retrieve:id/)
    // No server of its own was started beside the named one.
    expect(readdirSync(dataDir).sort()).toEqual(['credentials.json', 'deliveries', 'link-secret'])
  })

  it('makes nothing new the second time', async () => {
    const { code, stdout } = await upOnce()
    expect(code).toBe(0)
    expect(stdout).toContain('Nothing new was made: Period 2026-W40 was used by run_')
    expect(await runStates()).toEqual(['succeeded'])
  })
})
