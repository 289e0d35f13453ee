import { canonicalJson, type EvidenceItem } from '@almanac/domain'
import { sql } from 'kysely'
import { queueRun, testTenant, type TestTenant } from '../../../../test/support/postgres.ts'
import { ensureSource, importBatch } from '../nouns/evidence.ts'
import type { Database } from '../pool.ts'
import type { Driver } from './drive-run.ts'
import { holdRequest } from './paid-call.ts'

/** A tenant with at least one row in every table that holds tenants' rows. */
export async function fillTenant(db: Database, driver: Driver): Promise<TestTenant> {
  const { ports, operations, workerId } = driver
  const tenant = await testTenant(db)
  const { tenantId } = tenant

  const { id } = await db.withTenant(tenantId, (trx) => ensureSource(trx, tenantId, 'rules'))
  await importBatch(db, ports.content, tenantId, id, [evidence])

  const runId = await queueRun(db, tenant, { period: '2022-W10' })
  await driver.admit(tenantId)
  const atExecute = await driver.advance(tenantId, runId, 'execute')
  const hold = await ports.ledger.hold(holdRequest(atExecute, workerId))
  if (hold.state !== 'granted') throw new Error(hold.state)
  await driver.move(tenantId, runId, { to: 'again', delayMs: 1_000, code: 'ENGINE_OVERLOADED' })
  await driver.succeed(tenantId, runId)

  await operations.chain.link(1_000)
  await db.withTenant(tenantId, async (trx) => {
    await trx
      .insertInto('idempotency_keys')
      .values({ tenant_id: tenantId, route: 'POST /v1/runs', key: '"1"', body_hash: 'x' })
      .execute()
    await sql`insert into audit_events (tenant_id, id, at, actor, action, subject, detail)
      select tenant_id, replace(id, 'aud_0', 'aud_7'), at, actor, action, subject, detail
      from audit_events limit 1`.execute(trx)
  })
  return tenant
}

const evidence: EvidenceItem = {
  itemId: '2022-1',
  publishedAt: '2022-03-08T12:00:00Z',
  title: 'A rule',
  text: canonicalJson({ any: 'text' }),
  attributes: {},
  withdrawn: false,
}
