import { AlmanacError } from '@almanac/domain'
import { describe, expect, it } from 'vitest'
import { createApi } from './create-api.ts'
import { startApi } from './start-api.ts'
import { testApi } from './testing/test-api.ts'

const up = { queue: () => Promise.resolve(), worker: () => Promise.resolve(true) }
const { call, db, superuser, ports, running, api } = await testApi({ ready: up })

const readyWith = async (ready: object) => {
  const other = createApi({
    db,
    content: ports.content,
    log: { debug() {}, info() {}, warn() {}, error() {} } as never,
    wake: () => undefined,
    ready,
  })
  const started = await startApi(other, { host: '127.0.0.1', port: 0 })
  const response = await fetch(`${started.url}/readyz`)
  const json = (await response.json()) as { checks: { name: string; ok: boolean; says: string }[] }
  await started.close()
  return { status: response.status, json }
}

describe('health', () => {
  it('is alive without asking anybody', async () => {
    expect(await call('GET', '/livez')).toMatchObject({ status: 200, json: { alive: true } })
  })

  it('is ready when everything is, with a sentence for each', async () => {
    const { status, json } = await call('GET', '/readyz')
    expect(status).toBe(200)
    expect(json).toEqual({
      ready: true,
      checks: [
        { name: 'database', ok: true, says: 'Postgres answers.' },
        {
          name: 'migrations',
          ok: true,
          says: expect.stringMatching(/^All \d+ migrations are applied\.$/),
        },
        { name: 'queue', ok: true, says: 'The queue takes jobs.' },
        { name: 'worker', ok: true, says: 'The worker’s lease holds.' },
      ],
    })
  })

  it('is not ready when one part is not, and says which and why', async () => {
    const where = 'redis.internal:6379'
    const reason = 'the connection was refused'
    const { status, json } = await readyWith({
      queue: () => Promise.reject(new AlmanacError('QUEUE_UNREACHABLE', { where, reason })),
      worker: () => Promise.resolve(false),
    })
    expect(status).toBe(503)
    expect(json.checks.filter(({ ok }) => !ok)).toEqual([
      {
        name: 'queue',
        ok: false,
        says: 'The queue at its address cannot be reached: the connection was refused.',
      },
      {
        name: 'worker',
        ok: false,
        says: 'The worker’s lease has run out; its runs are taken over.',
      },
    ])
    const unknown = await readyWith({ queue: () => Promise.reject(new Error('secret')) })
    expect(JSON.stringify(unknown.json)).not.toContain('secret')
  })

  it('does not wait for a part that hangs', async () => {
    const { status, json } = await readyWith({ queue: () => new Promise(() => undefined) })
    expect(status).toBe(503)
    expect(json.checks).toContainEqual({
      name: 'queue',
      ok: false,
      says: 'It did not answer within 2 s.',
    })
  })

  it('is not ready on a database that is older than the program', async () => {
    await superuser(
      `delete from almanac_migration.kysely_migration
       where name = (select max(name) from almanac_migration.kysely_migration)`,
    )
    const { status, json } = await call('GET', '/readyz')
    expect(status).toBe(503)
    expect(json).toMatchObject({
      ready: false,
      checks: expect.arrayContaining([
        {
          name: 'migrations',
          ok: false,
          says: 'One migration has not been applied to the database.',
        },
      ]),
    })
  })
})

describe('starting', () => {
  it('says that a port is taken', async () => {
    const { port } = running
    await expect(startApi(api, { host: '127.0.0.1', port })).rejects.toMatchObject({
      code: 'PORT_TAKEN',
      message: `Another program listens on port ${port}.`,
    })
  })

  it('says that an address is not one of this machine', async () => {
    await expect(startApi(api, { host: '192.0.2.1', port: 0 })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      params: { issues: [{ field: 'ALMANAC_HOST' }] },
    })
  })

  it('names an address that can be opened', async () => {
    const everywhere = await startApi(api, { host: '0.0.0.0', port: 0 })
    expect(everywhere.url).toBe(`http://127.0.0.1:${everywhere.port}`)
    expect((await fetch(`${everywhere.url}/livez`)).status).toBe(200)
    await everywhere.close()
    await expect(fetch(`${everywhere.url}/livez`)).rejects.toThrow()
  })
})
