import { newId } from '@almanac/domain/ids'
import { beforeAll, describe, expect, it } from 'vitest'
import { testDatabase } from '../../../../test/support/postgres.ts'
import { answerCheckpoint, prepareCall } from '../refinement/index.ts'
import { createRefiner, type RefinedRun } from '../refinement/testing/refined-run.ts'
import { createDriver } from '../testing/drive-run.ts'
import { checkAudit } from './check-audit.ts'
import { auditLineText, exportAudit } from './export-audit.ts'

const { db, tamper } = await testDatabase()
const driver = createDriver(db)
const refiner = createRefiner(db, driver)
let root: RefinedRun
let lines: string[]

async function exported(): Promise<string[]> {
  const { tenantId } = root.tenant
  return db.withSystem('operators', async (trx) => {
    const texts: string[] = []
    for await (const line of exportAudit(trx, tenantId)) texts.push(auditLineText(line))
    return texts
  })
}

async function* from(texts: readonly string[]) {
  for (const text of texts) yield await Promise.resolve(text)
}
const check = (texts: readonly string[], heads?: string[]) => checkAudit(from(texts), heads)
const says = async (texts: readonly string[], heads?: string[]) =>
  (await check(texts, heads)).findings.map(({ what }) => what).join('\n')

beforeAll(async () => {
  const process = { host: 'test', pid: 1, version: '0' }
  await driver.operations.leases.register({ id: driver.workerId, ...process }, 3_600_000)
  root = await refiner.open({ limits: { maxDepth: 1 } })
  const asked = await prepareCall(db, root.claim, refiner.wanted(root))
  if (asked.kind !== 'waiting') throw new Error(asked.kind)
  const { tenantId } = root.tenant
  const principalId = newId('principal')
  await db.withTenant(tenantId, (trx) =>
    trx
      .insertInto('principals')
      .values({ tenant_id: tenantId, id: principalId, kind: 'person', name: 'Another' })
      .execute(),
  )
  await answerCheckpoint(
    db,
    tenantId,
    { principalId, mayApprove: true },
    { checkpointId: asked.checkpointId, decision: 'approved', reason: 'one more\u2028line' },
  )
  const claim = await refiner.comeBack(root)
  await prepareCall(db, claim, refiner.wanted({ ...root, claim }))
  while ((await driver.operations.chain.link(1_000)) > 0);
  lines = await exported()
})

describe('an export of the audit', () => {
  it('holds by itself, with its head and the proof of every root in it', async () => {
    const found = await check(lines)
    expect(found).toMatchObject({ ok: true, findings: [], links: lines.length - 1, roots: 1 })
    expect(found.heads).toMatchObject([{ tenantId: root.tenant.tenantId, seq: lines.length - 1 }])
    expect((await check(lines, [found.heads[0]?.hash ?? ''])).ok).toBe(true)
  })

  it('does not hold when one byte is another one', async () => {
    let changed = 0
    for (const [n, text] of lines.entries())
      for (let i = n % 3; i < text.length; i += 3) {
        const other = text[i] === '1' ? '2' : '1'
        const texts = lines.with(n, text.slice(0, i) + other + text.slice(i + 1))
        const found = await check(texts)
        // How many events wait at the head is a number of that instant, and nothing hashes it.
        const isUnlinked = n === lines.length - 1 && /"unlinked":\d$/.test(text.slice(0, i + 1))
        if (found.ok && !isUnlinked) throw new Error(`line ${n + 1}, byte ${i}`)
        changed += 1
      }
    expect(changed).toBeGreaterThan(1_000)
  })

  it('does not hold when a line is missing, doubled, elsewhere, or spelled otherwise', async () => {
    expect(await says(lines.toSpliced(2, 1))).toContain('a link is missing')
    expect(await says(lines.toSpliced(2, 0, lines[2] ?? ''))).toContain('a link is missing')
    expect(await says(lines.with(1, lines[2] ?? '').with(2, lines[1] ?? ''))).toContain('follows')
    expect(await says(lines.slice(0, -1))).toContain('the file was cut')
    expect(await says(lines.toSpliced(-2, 1))).toContain('the head is link')
    expect(await says(lines.with(0, ` ${lines[0]}`))).toContain('canonical')
    expect(await says([...lines, ...lines])).toContain('was over')
    expect(await says([])).toContain('the file is empty')
    expect(await says(lines, ['0'.repeat(64)])).toContain('known hash')
  })

  it('does not hold when a row was changed by somebody with all rights', async () => {
    const swap = (from_: string, to: string) =>
      tamper('update audit_events set detail = replace(detail, $1, $2) where tenant_id = $3', [
        from_,
        to,
        root.tenant.tenantId,
      ])
    await swap('"decision":"approved"', '"decision":"denied"')
    expect(await says(await exported())).toContain('does not give its hash')
    await swap('"decision":"denied"', '"decision":"approved"')
    expect((await check(await exported())).ok).toBe(true)
  })
})
