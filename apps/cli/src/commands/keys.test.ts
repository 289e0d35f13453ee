import { createApi, startApi } from '@almanac/api'
import { createClient } from '@almanac/client'
import { createPorts } from '@almanac/db'
import { createLogger, readConfig } from '@almanac/runtime'
import { afterAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { testDatabase, testTenant } from '../../../../test/support/postgres.ts'
import type { Screen } from '../screen.ts'
import { recordingScreen } from '../testing/recording-screen.ts'
import { createKeyNamed, listAllKeys, revokeKeyNamed } from './keys.ts'

const { db, url, superuser } = await testDatabase()
const tenant = await testTenant(db, { name: 'Keyed tenant' })
const config = readConfig({ DATABASE_URL: url, ALMANAC_LOG_LEVEL: 'silent' })
const log = createLogger(config, 'stderr')
const api = createApi({
  db,
  content: createPorts(db).content,
  log,
  wake: () => undefined,
  limits: { keyCacheMs: 1 },
})
const running = await startApi(api, { host: '127.0.0.1', port: 0 })
afterAll(() => running.close())

const made = z.object({ id: z.string(), secret: z.string(), scopes: z.array(z.string()) })
/** What a command says, and its result. */
async function run(work: (screen: Screen) => Promise<void>) {
  const screen = recordingScreen()
  await work(screen)
  return { said: screen.said.join('\n'), result: screen.results.at(-1) }
}
const create = async (text: string | undefined, options: object) =>
  made.parse(
    (await run((screen) => createKeyNamed(screen, config, text, { name: 'test', ...options })))
      .result,
  )
const clientOf = ({ secret }: { secret: string }) => createClient({ url: running.url, key: secret })

describe('almanac key', () => {
  it('makes keys of operators, lists them, and ends them', async () => {
    const key = await create(undefined, { operator: true, person: 'Ada' })
    expect(key.secret).toMatch(/^almop_/)
    expect(key.scopes).toEqual(['ops:read', 'ops:stop-spend'])
    expect(await clientOf(key).listSpendStops()).toEqual({ data: [] })
    const second = await create(undefined, { operator: true, person: 'Ada', scope: ['ops:read'] })
    await expect(
      clientOf(second).setSpendStop({ body: { scope: 'all', reason: 'may not' } }),
    ).rejects.toMatchObject({ code: 'SCOPE_MISSING' })
    const people = await superuser<{ n: number }>('select count(*)::int as n from operators')
    expect(people).toEqual([{ n: 1 }])

    const listed = await run((screen) => listAllKeys(screen, config, undefined))
    expect(listed.said).toContain(key.id)
    expect(listed.said).toContain('Ada')
    expect(JSON.stringify(listed)).not.toContain(key.secret.slice(33))
    await run((screen) => revokeKeyNamed(screen, config, key.id))
    await expect(clientOf(key).listSpendStops()).rejects.toMatchObject({ code: 'KEY_INVALID' })
    const acts = await superuser<{ action: string; subject: string }>(
      'select action, subject from operator_acts order by id',
    )
    expect(acts).toEqual([
      { action: 'key.created', subject: key.id },
      { action: 'key.created', subject: second.id },
      { action: 'key.revoked', subject: key.id },
    ])
  })

  it('makes keys of tenants, lists them, and ends them', async () => {
    const key = await create('Keyed tenant', {})
    expect(key.secret).toMatch(/^alm_/)
    expect(await clientOf(key).whoAmI()).toMatchObject({ tenantId: tenant.tenantId })
    const listed = await run((screen) => listAllKeys(screen, config, tenant.tenantId))
    expect(listed.said).toContain(key.id)
    await run((screen) => revokeKeyNamed(screen, config, key.id))
    await expect(clientOf(key).whoAmI()).rejects.toMatchObject({ code: 'KEY_INVALID' })
  })

  it.each([
    [undefined, {}],
    ['Keyed tenant', { operator: true }],
    [undefined, { operator: true, scope: ['runs:read'] }],
    ['Keyed tenant', { scope: ['ops:read'] }],
  ])('refuses to mix tenants and operators: %j, %j', async (text, options) => {
    await expect(create(text, options)).rejects.toMatchObject({ code: 'INPUT_INVALID' })
  })

  it('knows no key that nobody has made', async () => {
    const id = 'key_01kafz7v3be8paw2y8m4x1qd0n'
    await expect(run((screen) => revokeKeyNamed(screen, config, id))).rejects.toMatchObject({
      code: 'NOT_FOUND',
    })
  })
})
