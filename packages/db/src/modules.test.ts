import { AlmanacError, type ModuleDefinition, type SpecificationId } from '@almanac/domain'
import { describe, expect, it } from 'vitest'
import { testDatabase, testTenant, queueRun } from '../../../test/support/postgres.ts'
import { sampleModule, sampleWorkflow } from '../../../test/support/workflow-sample.ts'
import { createModuleRegistry } from './module-registry.ts'
import { listModules, registerModule, removeModule } from './nouns/modules.ts'
import {
  activateSpecification,
  changeSpecification,
  createSpecification,
  stopSpecification,
} from './nouns/specifications.ts'

const { db } = await testDatabase()
const registry = createModuleRegistry(db)

async function newTenant() {
  const tenant = await testTenant(db)
  const { tenantId, principalId } = tenant
  const inTenant = db.withTenant.bind(db, tenantId) as <R>(
    work: Parameters<typeof db.withTenant<R>>[1],
  ) => Promise<R>
  return {
    tenant,
    register: (over: Partial<ModuleDefinition> = {}) =>
      inTenant((trx) => registerModule(trx, tenantId, principalId, { ...sampleModule(), ...over })),
    remove: (id: `mod_${string}`) =>
      inTenant((trx) => removeModule(trx, tenantId, principalId, id)),
    list: (query: { phase?: 'check' | 'gather'; key?: string; limit?: number; cursor?: string }) =>
      inTenant((trx) => listModules(trx, tenantId, { limit: 10, ...query })),
    specify: (modules: string[], name = 'Supplier onboarding') =>
      inTenant((trx) =>
        createSpecification(
          trx,
          tenantId,
          principalId,
          sampleWorkflow({ modules, name, externalId: name }),
        ),
      ),
    change: (id: SpecificationId, modules: string[]) =>
      inTenant((trx) =>
        changeSpecification(trx, tenantId, principalId, id, 1, { modules }, () => []),
      ),
    activate: (id: SpecificationId) =>
      inTenant((trx) => activateSpecification(trx, tenantId, principalId, id)),
    archive: (id: SpecificationId) =>
      inTenant((trx) => stopSpecification(trx, tenantId, principalId, id, 'archived', '')),
  }
}

const failure = async (work: Promise<unknown>) => {
  const error: unknown = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (!(error instanceof AlmanacError)) throw new Error(`no failure but ${String(error)}`)
  return { code: error.code, detail: error.message, params: error.params as object }
}

describe('the registry of modules', () => {
  it('keeps a module as it was registered, and refuses its key a second time', async () => {
    const { register, list, tenant } = await newTenant()
    const added = await register()
    expect(added).toMatchObject({ ...sampleModule(), createdBy: tenant.principalId })
    expect(await failure(register({ name: 'Another' }))).toMatchObject({
      code: 'NAME_TAKEN',
      params: { name: '"data-sheet-check"' },
    })
    const { data } = await list({})
    expect(data).toEqual([added])
    expect(await registry.named(tenant.tenantId, ['data-sheet-check'])).toEqual([sampleModule()])
  })

  it('lists by phase and by key, page by page', async () => {
    const { register, list } = await newTenant()
    for (const n of [1, 2, 3]) await register({ key: `check-${n}` })
    await register({ key: 'gather-1', phase: 'gather' })
    expect((await list({ phase: 'gather' })).data.map(({ key }) => key)).toEqual(['gather-1'])
    expect((await list({ key: 'check-2' })).data).toHaveLength(1)
    const first = await list({ limit: 3 })
    const cursor = first.nextCursor ?? ''
    expect(first.data.map(({ key }) => key)).toEqual(['gather-1', 'check-3', 'check-2'])
    expect((await list({ limit: 3, cursor })).data.map(({ key }) => key)).toEqual(['check-1'])
  })

  it('shows one tenant nothing of another', async () => {
    const [one, other] = [await newTenant(), await newTenant()]
    const { id } = await one.register()
    expect((await other.list({})).data).toEqual([])
    expect(await failure(other.remove(id))).toMatchObject({ code: 'NOT_FOUND' })
    expect(await failure(other.specify(['data-sheet-check']))).toMatchObject({
      code: 'INPUT_INVALID',
    })
    await other.register()
    expect((await other.list({})).data).toHaveLength(1)
  })
})

describe('a module in use', () => {
  it('is named by specifications that must know it, all unknown ones at once', async () => {
    const { register, specify, change } = await newTenant()
    await register()
    const found = await failure(specify(['data-sheet-check', 'nobody', 'nothing']))
    expect(found.params).toMatchObject({
      issues: [
        { field: 'modules.1', value: '"nobody"' },
        { field: 'modules.2', value: '"nothing"' },
      ],
    })
    const { id } = await specify(['data-sheet-check'])
    expect(await failure(change(id, ['nobody']))).toMatchObject({ code: 'INPUT_INVALID' })
  })

  it('is not removed, and its users are named', async () => {
    const { register, specify, remove, change, archive, list } = await newTenant()
    const { id } = await register()
    const one = await specify(['data-sheet-check'], 'Chemicals')
    const two = await specify(['data-sheet-check'], 'Alloys')
    await specify([], 'Without')
    const found = await failure(remove(id))
    expect(found).toMatchObject({
      code: 'MODULE_IN_USE',
      params: { users: [`"Alloys" (${two.id})`, `"Chemicals" (${one.id})`] },
    })
    await change(one.id, [])
    await archive(two.id)
    expect(await remove(id)).toMatchObject({ key: 'data-sheet-check' })
    expect((await list({})).data).toEqual([])
    expect(await failure(remove(id))).toMatchObject({ code: 'NOT_FOUND' })
  })

  it('is kept for an unfinished run of an earlier revision', async () => {
    const { tenant, register, specify, remove, change, activate } = await newTenant()
    const { id } = await register()
    const made = await specify(['data-sheet-check'])
    await activate(made.id)
    await queueRun(db, { ...tenant, specificationId: made.id }, { period: '2026-09' })
    await change(made.id, [])
    expect(await failure(remove(id))).toMatchObject({ code: 'MODULE_IN_USE' })
  })

  it('is either taken into use or removed, never both at once', async () => {
    for (let n = 0; n < 5; n += 1) {
      const { tenant, register, specify, remove } = await newTenant()
      const { id } = await register()
      const outcomes = await Promise.allSettled([specify(['data-sheet-check']), remove(id)])
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
      const isUsed = outcomes[0]?.status === 'fulfilled'
      const named = registry.named(tenant.tenantId, ['data-sheet-check'])
      if (isUsed) expect(await named).toHaveLength(1)
      else expect(await failure(named)).toMatchObject({ code: 'NOT_FOUND' })
    }
  })
})
