import { isAlmanacError, type DocumentId, type RunId, type VersionId } from '@almanac/domain'
import { newId } from '@almanac/domain/ids'
import { beforeAll, describe, expect, it } from 'vitest'
import {
  queueRun,
  testDatabase,
  testTenant,
  type TestTenant,
} from '../../../../test/support/postgres.ts'
import { createDriver } from '../testing/drive-run.ts'
import { createRefiner } from '../refinement/testing/refined-run.ts'
import {
  ancestors,
  bestKnown,
  descendants,
  getVersion,
  listVersions,
  previous,
} from './versions.ts'

const { db, superuser } = await testDatabase()
const driver = createDriver(db)
const tenant = await testTenant(db)
const { tenantId } = tenant

interface NewVersion {
  run: RunId
  document: DocumentId
  parents?: VersionId[]
  depth?: number
  score?: number
}

let made = 0
/** A row as the commit of a stage writes it, a second after the one before. */
async function addVersion({ run, document, parents = [], depth = 0, score = 0.5 }: NewVersion) {
  made += 1
  const id = newId('version')
  const [content, pack] = await driver.ports.content.put(tenantId, [`{"n":${made}}`, '{}'])
  const metrics = [{ name: 'coverage', value: score, weight: 1, reasons: [] }]
  await superuser(
    `insert into versions (tenant_id, id, run_id, document_id, label, parents, depth, content_hash,
       package_hash, score, evaluation, created_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, now() + make_interval(secs => $12))`,
    [
      ...[tenantId, id, run, document, `v${made}`, parents, depth, content, pack, score],
      ...[JSON.stringify({ score, metrics }), made],
    ],
  )
  return id
}

const newRun = () => queueRun(db, tenant, { test: true })
const within = <T>(
  read: (trx: Parameters<typeof getVersion>[0], id: TestTenant['tenantId']) => Promise<T>,
  of: TestTenant = tenant,
) => db.withTenant(of.tenantId, (trx) => read(trx, of.tenantId))
const ids = (versions: readonly { id: VersionId }[]) => versions.map(({ id }) => id)

describe('the versions of a document', () => {
  /** A draft, two variants of it and their merge, a variant of that; then another run of the document. */
  let tree: Record<'draft' | 'one' | 'two' | 'merged' | 'next' | 'again', VersionId>
  let run: RunId
  const document = newId('document')

  beforeAll(async () => {
    run = await newRun()
    const draft = await addVersion({ run, document })
    const one = await addVersion({ run, document, parents: [draft], depth: 1 })
    const two = await addVersion({ run, document, parents: [draft], depth: 1 })
    const merged = await addVersion({ run, document, parents: [one, two], depth: 1 })
    const next = await addVersion({ run, document, parents: [merged], depth: 2 })
    const again = await addVersion({ run: await newRun(), document })
    tree = { draft, one, two, merged, next, again }
  })

  it('know what they were made of, and what was made of them', async () => {
    const { draft, one, two, merged, next, again } = tree
    const above = (id: VersionId) => within(async (trx, of) => ids(await ancestors(trx, of, id)))
    const below = (id: VersionId) => within(async (trx, of) => ids(await descendants(trx, of, id)))
    expect(await above(next)).toEqual([merged, two, one, draft])
    expect(await above(one)).toEqual([draft])
    expect(await above(draft)).toEqual([])
    expect(await below(draft)).toEqual([one, two, merged, next])
    expect(await below(one)).toEqual([merged, next])
    expect(await below(again)).toEqual([])
  })

  it('know the version that they grew from', async () => {
    const { draft, one, merged, next, again } = tree
    const before = (id: VersionId) =>
      within(async (trx, of) => (await previous(trx, of, id))?.id ?? null)
    expect(await before(one)).toBe(draft)
    // The merge of two variants is of their generation: what it grew from is what they grew from.
    expect(await before(merged)).toBe(draft)
    expect(await before(next)).toBe(merged)
    expect(await before(draft)).toBeNull()
    expect(await before(again)).toBe(next)
  })

  it('are listed by run, and read with their metrics', async () => {
    const { draft, one, two, merged, next } = tree
    expect(ids(await within((trx, of) => listVersions(trx, of, run)))).toEqual([
      ...[draft, one, two, merged, next],
    ])
    const { version, evaluation } = await within((trx, of) => getVersion(trx, of, next))
    expect(version).toMatchObject({ runId: run, documentId: document, parents: [merged], depth: 2 })
    expect(evaluation.metrics.map(({ name }) => name)).toEqual(['coverage'])
  })

  it('do not exist for another tenant, nor for one that asks for what nobody has', async () => {
    const other = await testTenant(db, { name: 'Other' })
    const read = [getVersion, previous, ancestors, descendants]
    for (const one of read) {
      await expect(within<unknown>((trx, of) => one(trx, of, tree.next), other)).rejects.toThrow(
        `version ${tree.next}`,
      )
      const unknown = await within<unknown>((trx, of) => one(trx, of, newId('version'))).catch(
        (error: unknown) => error,
      )
      expect(isAlmanacError(unknown, 'NOT_FOUND')).toBe(true)
    }
    expect(await within((trx, of) => bestKnown(trx, of, document), other)).toBeUndefined()
    await expect(within((trx, of) => listVersions(trx, of, run), other)).rejects.toThrow(run)
  })

  it('end even where rows name each other as parents', async () => {
    const circle = newId('document')
    const a = await addVersion({ run, document: circle, depth: 1 })
    const b = await addVersion({ run, document: circle, parents: [a], depth: 1 })
    await superuser(
      `with off as (select set_config('session_replication_role', 'replica', false))
       update versions set parents = array[$2] from off where id = $1`,
      [a, b],
    )
    expect(ids(await within((trx, of) => ancestors(trx, of, a)))).toEqual([b])
    expect(ids(await within((trx, of) => descendants(trx, of, a)))).toEqual([b])
  })
})

describe('the best known version', () => {
  it('is the one with the best effective score, by the decay of its own refinement', async () => {
    const refiner = createRefiner(db, driver)
    // What other tests have queued would be admitted first.
    await driver.admit(tenantId, 1_000)
    const root = await refiner.open({ tenant, limits: { decay: 0.2 }, score: 0.7 })
    const [draft] = await within((trx, of) => listVersions(trx, of, root.claim.runId))
    if (!draft) throw new Error('no draft')
    const { documentId: document } = draft
    const run = root.claim.runId
    const best = () => within((trx, of) => bestKnown(trx, of, document))
    // 0.85 × 0.8 = 0.68 is less than 0.7.
    await addVersion({ run, document, parents: [draft.id], depth: 1, score: 0.85 })
    expect(await best()).toMatchObject({ id: draft.id, effectiveScore: 0.7 })
    const better = await addVersion({ run, document, parents: [draft.id], depth: 1, score: 0.9 })
    expect(await best()).toMatchObject({ id: better, score: 0.9 })
    expect((await best())?.effectiveScore).toBeCloseTo(0.72)
    // A run without refinement has no generations.
    const plain = await addVersion({ run: await newRun(), document, score: 0.73 })
    expect((await best())?.id).toBe(plain)
  })

  it('is the lower id of two that are worth the same', async () => {
    const document = newId('document')
    const run = await newRun()
    const made = [await addVersion({ run, document }), await addVersion({ run, document })]
    expect((await within((trx, of) => bestKnown(trx, of, document)))?.id).toBe(made.sort()[0])
  })

  it('holds: it is not of a retracted document, nor erased', async () => {
    const document = newId('document')
    const [poor, retracted, erased] = [
      await addVersion({ run: await newRun(), document, score: 0.4 }),
      await addVersion({ run: await newRun(), document, score: 0.9 }),
      await addVersion({ run: await newRun(), document, score: 0.8 }),
    ]
    const best = async () => (await within((trx, of) => bestKnown(trx, of, document)))?.id
    expect(await best()).toBe(retracted)
    await superuser(
      `insert into artifact_sets (tenant_id, run_id, specification_id, period_key, current,
         retracted_at, retracted_by, retracted_because)
       select v.tenant_id, v.run_id, r.specification_id, null, false, now(), 'someone', 'wrong'
       from versions v join runs r on r.tenant_id = v.tenant_id and r.id = v.run_id where v.id = $1`,
      [retracted],
    )
    expect(await best()).toBe(erased)
    await superuser(
      `with off as (select set_config('session_replication_role', 'replica', false))
       update blobs set bytes = null, erased_at = now() from off
       where sha256 = (select content_hash from versions where id = $1)`,
      [erased],
    )
    expect(await best()).toBe(poor)
  })

  it('is none of a document that nobody has made', async () => {
    expect(await within((trx, of) => bestKnown(trx, of, newId('document')))).toBeUndefined()
  })
})
