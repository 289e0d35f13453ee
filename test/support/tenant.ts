import {
  acceptRun,
  activateSpecification,
  createKey,
  createSpecification,
  createTenant,
  ensureSource,
  type Database,
} from '@almanac/db'
import {
  parse,
  runRequest,
  specification as specificationSchema,
  tenantScopes,
  type Entitlement,
  type PrincipalId,
  type ReportSpecification,
  type RunId,
  type RunRequestInput,
  type Specification,
  type SpecificationId,
  type TenantId,
} from '@almanac/domain'
import { everythingBought, sampleSpecification } from './sample.ts'

/** A tenant as operators and its people make one: entitled, with a key and an active specification. */
export interface TestTenant {
  tenantId: TenantId
  principalId: PrincipalId
  /** The secret of a key with all of a tenant's scopes. */
  key: string
  specificationId: SpecificationId
  body: Specification
}

export interface TestTenantOptions {
  name?: string
  entitlement?: Entitlement
  /** What differs from the sample specification. */
  specification?: Partial<ReportSpecification>
  /** Whether the specification is activated; true unless told. */
  active?: boolean
}

export async function testTenant(
  db: Database,
  { name = 'Test tenant', entitlement, specification, active = true }: TestTenantOptions = {},
): Promise<TestTenant> {
  const { tenantId, principalId } = await db.withSystem('tenants', (trx) =>
    createTenant(trx, 'operator', {
      name,
      principalName: 'First person',
      entitlement: entitlement ?? everythingBought,
    }),
  )
  return db.withTenant(tenantId, async (trx) => {
    const { secret } = await createKey(trx, tenantId, principalId, {
      principalId,
      name: 'first key',
      scopes: [...tenantScopes],
    })
    const wanted = parse(specificationSchema, sampleSpecification(specification))
    const { id } = await createSpecification(trx, tenantId, principalId, wanted)
    if (active) await activateSpecification(trx, tenantId, principalId, id)
    if (wanted.kind === 'report')
      for (const source of wanted.sources) await ensureSource(trx, tenantId, source)
    return { tenantId, principalId, key: secret, specificationId: id, body: wanted }
  })
}

/** Asks for a run of the tenant's specification, as the API does. */
export async function queueRun(
  db: Database,
  { tenantId, principalId, specificationId }: TestTenant,
  request: Omit<RunRequestInput, 'specificationId'> = {},
  now = new Date(),
): Promise<RunId> {
  const asked = parse(runRequest, { specificationId, ...request })
  const { runId } = await db.withTenant(tenantId, (trx) =>
    acceptRun(trx, tenantId, principalId, asked, now),
  )
  return runId
}
