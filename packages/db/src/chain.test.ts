import { newId } from '@almanac/domain/ids'
import { describe, expect, it } from 'vitest'
import { testDatabase, testTenant } from '../../../test/support/postgres.ts'
import { auditEventOf, chainHash, createChain, type AuditRow } from './chain.ts'
import { recordAct } from './nouns/acts.ts'

const { db, superuser } = await testDatabase()
const chain = createChain(db)

interface Link extends AuditRow {
  seq: number
  previous_hash: string
  hash: string
}

const linksOf = (tenantId: string) =>
  superuser<Link>(
    `select c.seq::int, c.previous_hash, c.hash, e.* from audit_chain c
      join audit_events e on e.tenant_id = c.tenant_id and e.id = c.event_id
      where c.tenant_id = $1 order by c.seq`,
    [tenantId],
  )

const unchained = async (tenantId: string) => {
  const rows = await superuser(
    `select id from audit_events e where tenant_id = $1 and not exists (
      select from audit_chain c where c.tenant_id = e.tenant_id and c.event_id = e.id)`,
    [tenantId],
  )
  return rows.length
}

describe('the audit chain', () => {
  it('is gapless and verifiable, also when events are recorded and linked by many at once', async () => {
    const tenants = [await testTenant(db), await testTenant(db), await testTenant(db)]
    const act = { actor: 'test', action: 'run.cancelled', subject: newId('run') } as const
    const record = ({ tenantId }: { tenantId: (typeof tenants)[0]['tenantId'] }, n: number) =>
      db.withTenant(tenantId, (trx) => recordAct(trx, tenantId, { ...act, detail: { n } }))
    const linkers = [createChain(db), createChain(db), createChain(db), createChain(db)]
    await Promise.all(
      Array.from({ length: 40 }, async (_, n) => {
        await Promise.all(tenants.map((tenant) => record(tenant, n)))
        await linkers[n % 4]?.link(7)
      }),
    )
    while ((await chain.link(50)) > 0);

    for (const { tenantId } of tenants) {
      const links = await linksOf(tenantId)
      expect(links.length).toBeGreaterThanOrEqual(40)
      expect(await unchained(tenantId)).toBe(0)
      expect(links.map(({ seq }) => seq)).toEqual(links.map((_, i) => i + 1))
      let previousHash = ''
      for (const {
        seq,
        previous_hash,
        hash,
        id,
        tenant_id,
        at,
        actor,
        action,
        subject,
        detail,
      } of links) {
        const event = auditEventOf({ id, tenant_id, at, actor, action, subject, detail })
        expect(previous_hash).toBe(previousHash)
        expect(chainHash({ seq, previousHash, event })).toBe(hash)
        previousHash = hash
      }
    }
  })

  it('shows one changed byte of an event', async () => {
    const { tenantId } = await testTenant(db)
    while ((await chain.link(50)) > 0);
    const [first] = await linksOf(tenantId)
    if (!first) throw new Error('no link')
    const { seq, previous_hash: previousHash, hash, ...row } = first
    expect(chainHash({ seq, previousHash, event: auditEventOf(row) })).toBe(hash)
    const changed = auditEventOf({ ...row, subject: row.subject.replace(/.$/, '!') })
    expect(chainHash({ seq, previousHash, event: changed })).not.toBe(hash)
  })

  it('answers zero when there is nothing to link', async () => {
    while ((await chain.link(50)) > 0);
    expect(await chain.link(50)).toBe(0)
  })
})
