import { recordingScreen } from '../testing/recording-screen.ts'
import { createApi, startApi } from '@almanac/api'
import { createClient } from '@almanac/client'
import { createKey, createPorts, prepareCall } from '@almanac/db'
import { newId } from '@almanac/domain/ids'
import { createLogger, readConfig } from '@almanac/runtime'
import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import {
  createRefiner,
  type RefinedRun,
} from '../../../../packages/db/src/refinement/testing/refined-run.ts'
import { createDriver } from '../../../../packages/db/src/testing/drive-run.ts'
import { testDatabase } from '../../../../test/support/postgres.ts'
import { linkKeysOf } from '../system/link-keys.ts'
import { checkAuditFile, exportAuditTo } from './audit.ts'
import {
  decideCheckpoints,
  lendCheckpoint,
  linkCheckpoint,
  showCheckpoint,
  showCheckpoints,
} from './checkpoint.ts'
import { rollBackRun } from './rollback.ts'

const { db, url: databaseUrl, superuser } = await testDatabase()
const dataDir = mkdtempSync(join(tmpdir(), 'almanac-checkpoint-'))
const config = readConfig({
  DATABASE_URL: databaseUrl,
  ALMANAC_DATA: dataDir,
  ALMANAC_LOG_LEVEL: 'silent',
})
const api = createApi({
  db,
  content: createPorts(db).content,
  log: createLogger(config, 'stderr'),
  wake: () => undefined,
  linkKeys: linkKeysOf(config),
})
const running = await startApi(api, { host: '127.0.0.1', port: 0 })
const driver = createDriver(db)
const refiner = createRefiner(db, driver)

beforeAll(async () => {
  const process = { host: 'test', pid: 1, version: '0' }
  await driver.operations.leases.register({ id: driver.workerId, ...process }, 3_600_000)
})
afterEach(() => {
  process.exitCode = undefined
})
afterAll(async () => {
  await running.close()
  rmSync(dataDir, { recursive: true })
})

function screen() {
  const own = recordingScreen()
  return { ...own, said: () => own.said.join('\n'), value: () => own.results.at(-1) }
}

async function waiting(tenant?: RefinedRun['tenant']) {
  const root = await refiner.open({ limits: { maxDepth: 1 }, ...(tenant ? { tenant } : {}) })
  const asked = await prepareCall(db, root.claim, refiner.wanted(root))
  if (asked.kind !== 'waiting') throw new Error(asked.kind)
  const { tenantId } = root.tenant
  const principal = newId('principal')
  const { secret } = await db.withTenant(tenantId, async (trx) => {
    await trx
      .insertInto('principals')
      .values({ tenant_id: tenantId, id: principal, kind: 'person', name: 'Another' })
      .execute()
    return createKey(trx, tenantId, principal, {
      principalId: principal,
      name: 'test',
      scopes: ['runs:read', 'runs:write', 'checkpoint:approve'],
    })
  })
  return {
    root,
    id: asked.checkpointId,
    principal,
    client: createClient({ url: running.url, key: secret }),
  }
}

describe('almanac checkpoint', () => {
  it('lists and shows what waits, lends it, and decides it', async () => {
    const { root, id, client } = await waiting()
    const listed = screen()
    await showCheckpoints(client, listed, { state: 'pending', run: root.claim.runId })
    expect(listed.said()).toContain(`${id}  pending`)
    expect(listed.value()).toMatchObject([{ id, state: 'pending' }])
    const shown = screen()
    await showCheckpoint(client, shown, id)
    expect(shown.said()).toContain('$0.003000 and 300 tokens')
    const lent = screen()
    await lendCheckpoint(client, lent, id, root.tenant.principalId)
    expect(lent.value()).toMatchObject({ checkpointId: id })
    const decided = screen()
    await decideCheckpoints(client, decided, 'deny', id, { reason: 'enough' })
    expect(decided.said()).toBe(`${id} is denied.`)
    const again = decideCheckpoints(client, screen(), 'deny', id, { reason: 'enough' })
    await expect(again).rejects.toMatchObject({ code: 'CHECKPOINT_CLOSED' })
  })

  it('raises limits instead of approving', async () => {
    const { id, client } = await waiting()
    const raised = screen()
    await decideCheckpoints(client, raised, 'approve', id, { reason: 'it gains', maxDepth: 4 })
    expect(raised.value()).toMatchObject({ decision: 'voided', limits: { maxDepth: 4 } })
  })

  it('decides by filter what it has shown before, and only with --yes', async () => {
    const first = await waiting()
    const second = await waiting(first.root.tenant)
    const { client } = first
    const both = { reason: 'enough', filter: true }
    await expect(decideCheckpoints(client, screen(), 'deny', first.id, both)).rejects.toMatchObject(
      { code: 'INPUT_INVALID' },
    )
    await expect(
      decideCheckpoints(client, screen(), 'approve', undefined, { ...both, maxDepth: 4 }),
    ).rejects.toMatchObject({ code: 'INPUT_INVALID' })
    const looked = screen()
    await decideCheckpoints(client, looked, 'deny', undefined, both)
    expect(looked.said()).toContain('2 checkpoints wait; approving them may cost $0.006000')
    expect(looked.said()).toContain('Nothing is decided')
    const done = screen()
    await decideCheckpoints(client, done, 'deny', undefined, { ...both, yes: true })
    expect(done.value()).toMatchObject({
      decided: 2,
      results: [first.id, second.id].map((id) => ({ id, outcome: 'denied' })),
    })
  })

  it('links to a page at which one principal with the right decides', async () => {
    const { root, id, principal } = await waiting()
    const { tenantId } = root.tenant
    const linked = screen()
    await linkCheckpoint(linked, config, id, { tenant: tenantId, principal })
    const [url = ''] = linked.said().split('\n')
    expect(statSync(join(dataDir, 'link-secret')).mode & 0o777).toBe(0o600)
    const page = await fetch(new URL(`${new URL(url).pathname}${new URL(url).search}`, running.url))
    expect(page.status).toBe(200)
    expect(await page.text()).toContain(id)
    await superuser('update keys set revoked_at = now() where principal_id = $1', [principal])
    const refused = linkCheckpoint(screen(), config, id, { tenant: tenantId, principal })
    await expect(refused).rejects.toMatchObject({ code: 'SCOPE_MISSING' })
  })
})

it('almanac rollback lets an earlier version go on', async () => {
  const { root, client } = await waiting()
  const run = root.claim.runId
  const [row] = await superuser<{ id: string }>('select id from versions where run_id = $1', [run])
  const done = screen()
  await rollBackRun(client, done, { run, version: row?.id ?? '', reason: 'a section is gone' })
  expect(done.value()).toEqual({ runId: run, versionId: row?.id })
})

describe('almanac audit', () => {
  it('exports a tenant’s chain into a file, which can be checked without the database', async () => {
    const { root } = await waiting()
    while ((await driver.operations.chain.link(1_000)) > 0);
    const file = join(dataDir, 'audit.ndjson')
    const out = screen()
    await exportAuditTo(out, config, { tenant: root.tenant.tenantId, out: file })
    expect(out.value()).toMatchObject({ file, heads: [{ tenantId: root.tenant.tenantId }] })
    const checked = screen()
    await checkAuditFile(checked, file, {})
    expect(checked.value()).toMatchObject({ ok: true, roots: 1 })
    expect(process.exitCode).toBeUndefined()

    const text = readFileSync(file, 'utf8')
    writeFileSync(file, text.replace('checkpoint.requested', 'checkpoint.requestee'))
    const changed = screen()
    await checkAuditFile(changed, file, {})
    expect(changed.value()).toMatchObject({ ok: false })
    expect(process.exitCode).toBe(1)
    writeFileSync(file, text)
    appendFileSync(file, 'x')
    const longer = screen()
    await checkAuditFile(longer, file, {})
    expect(longer.said()).toContain('not a line of an audit export')
    await expect(checkAuditFile(screen(), join(dataDir, 'none'), {})).rejects.toMatchObject({
      code: 'FILE_UNREADABLE',
    })
  })

  it('exports all tenants when none is named', async () => {
    const file = join(dataDir, 'all.ndjson')
    await exportAuditTo(screen(), config, { out: file })
    const checked = screen()
    await checkAuditFile(checked, file, {})
    const found = checked.value() as { ok: boolean; heads: unknown[] }
    expect(found.ok).toBe(true)
    expect(found.heads.length).toBeGreaterThan(4)
  })
})
