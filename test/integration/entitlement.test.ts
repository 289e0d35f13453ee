import {
  acceptRerun,
  acceptRun,
  activateSpecification,
  changeSpecification,
  createSpecification,
  createPorts,
  grantPeriod,
  writeEntitlement,
} from '@almanac/db'
import {
  AlmanacError,
  isAlmanacError,
  parse,
  runRequest,
  type Entitlement,
  type ErrorCode,
  type RunRequestInput,
  type Specification,
} from '@almanac/domain'
import { describe, expect, it } from 'vitest'
import { everythingBought, samplePeriod, sampleSpecification } from '../support/sample.ts'
import { queueRun, testDatabase, testTenant, type TestTenant } from '../support/postgres.ts'

const { db, superuser } = await testDatabase()

/** Final rules of the whole country and Texas, weekly, two specifications, two runs on demand. */
const modest: Entitlement = {
  ...everythingBought,
  industries: {
    'us-regulation': { deliverables: ['final-rules'], regions: ['national', 'texas'], links: '*' },
  },
  fastestCadence: 'weekly',
  activeSpecifications: 2,
  onDemandRunsPerMonth: 2,
}
const fitting = { deliverables: ['final-rules'], regions: ['national', 'texas'] }
const body = (over: Partial<Specification> = {}) =>
  ({
    ...sampleSpecification({ ...fitting, externalId: undefined as never }),
    ...over,
  }) as Specification
const plain = (over: Partial<Specification> = {}): Specification => {
  const { externalId: _, ...rest } = body(over)
  return rest as Specification
}

const codeOf = async (work: Promise<unknown>): Promise<ErrorCode | 'nothing refused'> => {
  try {
    await work
    return 'nothing refused'
  } catch (error) {
    if (isAlmanacError(error)) return error.code
    throw error
  }
}

const tenantWith = (entitlement: Entitlement = modest) =>
  testTenant(db, { entitlement, specification: fitting })

const inTenant = <T>(tenant: TestTenant, work: Parameters<typeof db.withTenant<T>>[1]) =>
  db.withTenant(tenant.tenantId, work)

const ask = (tenant: TestTenant, request: Omit<RunRequestInput, 'specificationId'>) =>
  inTenant(tenant, (trx) =>
    acceptRun(
      trx,
      tenant.tenantId,
      tenant.principalId,
      parse(runRequest, { specificationId: tenant.specificationId, ...request }),
      new Date(),
    ),
  )

const downgrade = (tenant: TestTenant) =>
  db.withSystem('operators', (trx) =>
    writeEntitlement(trx, tenant.tenantId, 'operator', {
      ...modest,
      industries: {
        'us-regulation': { deliverables: ['final-rules'], regions: ['national'], links: '*' },
      },
    }),
  )

describe('what was not bought is refused', () => {
  it.each<[string, Partial<Specification>]>([
    ['a deliverable', { deliverables: ['proposed-rules'] } as never],
    ['a region', { regions: ['guam'] } as never],
    ['an industry', { industry: 'polyurethane' } as never],
    ['a faster cadence', { cadence: 'daily' }],
  ])('at create: %s', async (_, over) => {
    const tenant = await tenantWith()
    const create = inTenant(tenant, (trx) =>
      createSpecification(trx, tenant.tenantId, tenant.principalId, plain(over)),
    )
    expect(await codeOf(create)).toBe('SCOPE_NOT_ENTITLED')
  })

  it('at PATCH', async () => {
    const tenant = await tenantWith()
    const patch = inTenant(tenant, (trx) =>
      changeSpecification(
        trx,
        tenant.tenantId,
        tenant.principalId,
        tenant.specificationId,
        1,
        { regions: ['national', 'guam'] },
        () => [],
      ),
    )
    expect(await codeOf(patch)).toBe('SCOPE_NOT_ENTITLED')
  })

  it('at activate, after a downgrade', async () => {
    const tenant = await testTenant(db, {
      entitlement: modest,
      specification: fitting,
      active: false,
    })
    await downgrade(tenant)
    const activate = inTenant(tenant, (trx) =>
      activateSpecification(trx, tenant.tenantId, tenant.principalId, tenant.specificationId),
    )
    expect(await codeOf(activate)).toBe('SCOPE_NOT_ENTITLED')
  })

  it('at activate, beyond the number of active specifications', async () => {
    const tenant = await tenantWith()
    const activateOneMore = () =>
      inTenant(tenant, async (trx) => {
        const { tenantId, principalId } = tenant
        const { id } = await createSpecification(trx, tenantId, principalId, plain())
        return activateSpecification(trx, tenantId, principalId, id)
      })
    expect(await codeOf(activateOneMore())).toBe('nothing refused')
    expect(await codeOf(activateOneMore())).toBe('QUOTA_EXHAUSTED')
  })

  it('at a run after a downgrade, also a narrowed one, a backfilled one, and in the stage', async () => {
    const tenant = await tenantWith()
    const queued = await queueRun(db, tenant, { period: samplePeriod })
    await downgrade(tenant)
    expect(await codeOf(ask(tenant, { period: '2026-W39' }))).toBe('SCOPE_NOT_ENTITLED')
    expect(await codeOf(ask(tenant, { period: '2026-W39', trigger: 'backfill' }))).toBe(
      'SCOPE_NOT_ENTITLED',
    )
    const narrow = { regions: ['national'] }
    expect(await codeOf(ask(tenant, { period: '2026-W39', narrow }))).toBe('SCOPE_NOT_ENTITLED')

    const { specifications, load } = createPorts(db)
    const run = await load(tenant.tenantId, queued)
    if (!run) throw new AlmanacError('NOT_FOUND', { what: 'run' })
    const bound = await specifications.bound(run.facts)
    expect(bound.entitlement.industries['us-regulation']?.regions).toEqual(['national'])
  })

  it('by narrowing to what the specification does not have', async () => {
    const tenant = await tenantWith(everythingBought)
    const narrow = { regions: ['guam'] }
    expect(await codeOf(ask(tenant, { period: samplePeriod, narrow }))).toBe('SCOPE_WIDENED')
  })

  it('beyond the month’s runs on demand, tests aside, from many requests at once', async () => {
    const tenant = await testTenant(db, {
      entitlement: modest,
      specification: { ...fitting, cadence: 'on_demand' },
    })
    expect(await codeOf(ask(tenant, { test: true }))).toBe('nothing refused')
    const codes = await Promise.all(Array.from({ length: 8 }, () => codeOf(ask(tenant, {}))))
    expect(codes.filter((code) => code === 'nothing refused')).toHaveLength(2)
    expect(new Set(codes)).toEqual(new Set(['nothing refused', 'QUOTA_EXHAUSTED']))
  })

  it('a second success of a period, unless it was granted; then one', async () => {
    const tenant = await tenantWith()
    const { tenantId, principalId, specificationId } = tenant
    const first = await queueRun(db, tenant, { period: samplePeriod })
    await superuser(
      `insert into slots (tenant_id, specification_id, period_key, state, run_id, window_from, window_to, cadence, time_zone)
       values ($1, $2, $3, 'consumed', $4, '2026-09-28T04:00Z', '2026-10-05T04:00Z', 'weekly', 'America/New_York')`,
      [tenantId, specificationId, samplePeriod, first],
    )
    await superuser(`update runs set state = 'running' where id = $1`, [first])
    await superuser(`update runs set state = 'succeeded', finished_at = now() where id = $1`, [
      first,
    ])
    expect(await codeOf(ask(tenant, { period: samplePeriod }))).toBe('CADENCE_SLOT_TAKEN')
    const rerun = () =>
      inTenant(tenant, (trx) =>
        acceptRerun(
          trx,
          tenantId,
          principalId,
          first,
          { trigger: 'rerun', fromStage: 'execute' },
          new Date(),
        ),
      )
    expect(await codeOf(rerun())).toBe('CADENCE_SLOT_TAKEN')
    expect(
      await codeOf(
        inTenant(tenant, (trx) =>
          acceptRerun(
            trx,
            tenantId,
            principalId,
            first,
            { trigger: 'retry', fromStage: 'execute' },
            new Date(),
          ),
        ),
      ),
    ).toBe('STATE_CONFLICT')

    const granted = await inTenant(tenant, (trx) =>
      grantPeriod(trx, tenantId, 'operator', specificationId, body(), {
        period: samplePeriod,
        reason: 'the first one was wrong',
      }),
    )
    expect(granted).toMatchObject({ ordinal: 1, state: 'free', reason: 'the first one was wrong' })
    expect(await codeOf(rerun())).toBe('nothing refused')
    // Granted, not used yet: there is nothing to grant again.
    const again = inTenant(tenant, (trx) =>
      grantPeriod(trx, tenantId, 'operator', specificationId, body(), {
        period: samplePeriod,
        reason: 'more',
      }),
    )
    expect(await codeOf(again)).toBe('STATE_CONFLICT')
  })
})
