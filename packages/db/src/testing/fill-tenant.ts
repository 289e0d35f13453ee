import { canonicalJson, type EvidenceItem, type ModuleDefinition } from '@almanac/domain'
import { newId } from '@almanac/domain/ids'
import { sql } from 'kysely'
import { queueRun, testTenant, type TestTenant } from '../../../../test/support/postgres.ts'
import { setBudgetLimit } from '../nouns/budgets.ts'
import { ensureSource, importBatch } from '../nouns/evidence.ts'
import { registerModule } from '../nouns/modules.ts'
import type { Database } from '../pool.ts'
import { writeTenantRates } from '../rates/stops.ts'
import { lendCheckpoint } from '../refinement/checkpoints.ts'
import { prepareCall } from '../refinement/prepare-call.ts'
import { recordMerge } from '../refinement/settle-root.ts'
import { createRefiner } from '../refinement/testing/refined-run.ts'
import type { Driver } from './drive-run.ts'
import { callRef, holdRequest, settlement } from './paid-call.ts'

/** A tenant with at least one row in every table that holds tenants' rows. */
export async function fillTenant(db: Database, driver: Driver): Promise<TestTenant> {
  const { ports, operations, workerId } = driver
  const tenant = await testTenant(db)
  const { tenantId } = tenant

  const { id } = await db.withTenant(tenantId, (trx) => ensureSource(trx, tenantId, 'rules'))
  await importBatch(db, ports.content, tenantId, id, [evidence])

  await db.withTenant(tenantId, (trx) => registerModule(trx, tenantId, tenant.principalId, tried))

  const runId = await queueRun(db, tenant, { period: '2022-W10' })
  await driver.admit(tenantId)
  const atExecute = await driver.advance(tenantId, runId, 'execute')
  const hold = await ports.ledger.hold(holdRequest(atExecute, workerId))
  if (hold.state !== 'granted') throw new Error(hold.state)
  const dear = holdRequest(atExecute, workerId, { callKey: 'draft:2' })
  await ports.ledger.hold(dear)
  await ports.ledger.settle(
    callRef(atExecute, 1, 'draft:2'),
    settlement({ costMicroUsd: 400_000, outputHash: null }),
  )
  const month = { level: 'tenant/month', microUsd: 600_000, tokens: null } as const
  await setBudgetLimit(db, tenantId, 'operator', month)
  await driver.move(tenantId, runId, { to: 'again', delayMs: 1_000, code: 'ENGINE_OVERLOADED' })
  await driver.succeed(tenantId, runId)

  const rates = { requests: 60, tokens: null }
  await db.withSystem('operators', (trx) => writeTenantRates(trx, tenantId, 'operator', rates))

  await refineOne(db, driver, tenant)

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

/** A refinement with a generation behind it, waiting for somebody who was lent the answer. */
async function refineOne(db: Database, driver: Driver, tenant: TestTenant): Promise<void> {
  const refiner = createRefiner(db, driver)
  const root = await refiner.open({ tenant, limits: { maxDepth: 2 } })
  await prepareCall(db, root.claim, refiner.wanted(root, { children: 1 }))
  const end = await refiner.done(tenant, 0.6)
  await refiner.variants.finish({ ...root.claim, generation: 1, ordinal: 1 }, end)
  const claim = await refiner.comeBack(root)
  await recordMerge(db, claim, 1, { merge: 'none' })
  const asked = await prepareCall(db, claim, refiner.wanted({ ...root, claim }))
  if (asked.kind !== 'waiting') throw new Error(asked.kind)
  const { tenantId, principalId } = tenant
  const { checkpointId } = asked
  const lender = { principalId: newId('principal'), mayApprove: true }
  await db.withTenant(tenantId, (trx) =>
    lendCheckpoint(trx, tenantId, lender, { checkpointId, to: principalId }),
  )
}

const tried: ModuleDefinition = {
  key: 'rule-check',
  phase: 'check',
  name: 'Rule check',
  purpose: 'Checks a rule.',
  steps: ['Read it.'],
  inputs: [],
  outputs: ['Checked rule'],
}

const evidence: EvidenceItem = {
  itemId: '2022-1',
  publishedAt: '2022-03-08T12:00:00Z',
  title: 'A rule',
  text: canonicalJson({ any: 'text' }),
  attributes: {},
  withdrawn: false,
}
