import {
  AlmanacError,
  canonicalJson,
  evidenceItem,
  fieldMapping,
  type EvidenceItem,
  type FieldMapping,
  type SourceId,
  type TenantId,
} from '@almanac/domain'
import { sha256 } from '@almanac/domain/hash'
import { newId } from '@almanac/domain/ids'
import { sql } from 'kysely'
import type { Content } from '@almanac/pipeline'
import type { Database, Trx } from '../pool.ts'
import { isoOrNull } from './instants.ts'
import {
  pageFrom,
  readCursor,
  readCursorInstant,
  writeCursor,
  type Page,
  type PageQuery,
} from './pages.ts'

export interface SourceView {
  id: SourceId
  name: string
  mapping: FieldMapping
  items: number
  newestPublishedAt: string | null
  createdAt: string
}

/** Creates a source. Throws NAME_TAKEN. */
export async function createSource(
  trx: Trx,
  tenantId: TenantId,
  name: string,
  mapping: FieldMapping,
): Promise<SourceView> {
  const created = await insertSource(trx, tenantId, name, mapping)
  if (!created) throw new AlmanacError('NAME_TAKEN', { what: 'source', name: JSON.stringify(name) })
  return getSource(trx, tenantId, created)
}

/** The source of a name; made with the default mapping when there is none. */
export async function ensureSource(
  trx: Trx,
  tenantId: TenantId,
  name: string,
): Promise<{ id: SourceId; mapping: FieldMapping }> {
  await insertSource(trx, tenantId, name, fieldMapping.parse({}))
  const row = await trx
    .selectFrom('sources')
    .select(['id', 'mapping'])
    .where('tenant_id', '=', tenantId)
    .where('name', '=', name)
    .executeTakeFirstOrThrow()
  return { id: row.id, mapping: fieldMapping.parse(row.mapping) }
}

async function insertSource(
  trx: Trx,
  tenantId: TenantId,
  name: string,
  mapping: FieldMapping,
): Promise<SourceId | undefined> {
  const row = await trx
    .insertInto('sources')
    .values({ tenant_id: tenantId, id: newId('source'), name, mapping: JSON.stringify(mapping) })
    .onConflict((conflict) => conflict.columns(['tenant_id', 'name']).doNothing())
    .returning('id')
    .executeTakeFirst()
  return row?.id
}

export async function listSources(
  trx: Trx,
  tenantId: TenantId,
  { limit, cursor }: PageQuery,
): Promise<Page<SourceView>> {
  let query = selectSources(trx, tenantId)
  if (cursor) query = query.where('sources.id', '<', cursor as SourceId)
  const rows = await query
    .orderBy('sources.id', 'desc')
    .limit(limit + 1)
    .execute()
  return pageFrom(rows, limit, sourceView, ({ id }) => id)
}

async function getSource(trx: Trx, tenantId: TenantId, id: SourceId): Promise<SourceView> {
  const row = await selectSources(trx, tenantId)
    .where('sources.id', '=', id)
    .executeTakeFirstOrThrow()
  return sourceView(row)
}

const selectSources = (trx: Trx, tenantId: TenantId) =>
  trx
    .selectFrom('sources')
    .where('sources.tenant_id', '=', tenantId)
    .selectAll('sources')
    .select(({ selectFrom }) => [
      selectFrom('evidence_items as items')
        .whereRef('items.tenant_id', '=', 'sources.tenant_id')
        .whereRef('items.source_id', '=', 'sources.id')
        .select(({ fn }) => fn.countAll<number>().as('n'))
        .as('items'),
      selectFrom('evidence_items as items')
        .whereRef('items.tenant_id', '=', 'sources.tenant_id')
        .whereRef('items.source_id', '=', 'sources.id')
        .select(({ fn }) => fn.max('items.published_at').as('newest'))
        .as('newest'),
    ])

type SourceRow = Awaited<ReturnType<ReturnType<typeof selectSources>['executeTakeFirstOrThrow']>>

const sourceView = (row: SourceRow): SourceView => ({
  id: row.id,
  name: row.name,
  mapping: fieldMapping.parse(row.mapping),
  items: Number(row.items ?? 0),
  newestPublishedAt: isoOrNull(row.newest),
  createdAt: row.created_at.toISOString(),
})

/** What became of each item of a batch. */
export interface BatchResult {
  new: number
  changed: number
  unchanged: number
}

/**
 * Imports a batch: a new item is stored, a changed one becomes a revision, an equal one is left alone.
 * The last of several items with the same id in a batch counts as the newest. Bodies go into content;
 * imports into the same source take turns.
 */
export async function importBatch(
  db: Database,
  content: Content,
  tenantId: TenantId,
  sourceId: SourceId,
  items: readonly EvidenceItem[],
): Promise<BatchResult> {
  const result = { new: 0, changed: 0, unchanged: 0 }
  for (const round of rounds(items)) {
    const texts = new Map(round.map((item) => [item.itemId, canonicalJson(item)]))
    const done = await db.withTenant(tenantId, (trx) =>
      importRound(trx, tenantId, sourceId, round, texts, content),
    )
    result.new += done.new
    result.changed += done.changed
    result.unchanged += done.unchanged
  }
  return result
}

/** Splits a batch so that no round has an id twice. */
function rounds(items: readonly EvidenceItem[]): EvidenceItem[][] {
  const made: Map<string, EvidenceItem>[] = []
  for (const item of items) {
    let round = made.find((one) => !one.has(item.itemId))
    if (!round) made.push((round = new Map()))
    round.set(item.itemId, item)
  }
  return made.map((round) => [...round.values()])
}

async function importRound(
  trx: Trx,
  tenantId: TenantId,
  sourceId: SourceId,
  items: readonly EvidenceItem[],
  texts: ReadonlyMap<string, string>,
  content: Content,
): Promise<BatchResult> {
  await trx
    .selectFrom('sources')
    .select('id')
    .where('tenant_id', '=', tenantId)
    .where('id', '=', sourceId)
    .forUpdate()
    .execute()
  const known = await trx
    .selectFrom('evidence_items')
    .select(['item_id', 'revision', 'hash'])
    .where('tenant_id', '=', tenantId)
    .where('source_id', '=', sourceId)
    .where('item_id', '=', sql<string>`any(${items.map(({ itemId }) => itemId)})`)
    .execute()
  const before = new Map(known.map((row) => [row.item_id, row]))
  const rows = items.map((item) => {
    const hash = sha256(texts.get(item.itemId) ?? '')
    const old = before.get(item.itemId)
    return {
      item_id: item.itemId,
      published_at: item.publishedAt,
      revision: (old?.revision ?? 0) + 1,
      hash,
      isNew: !old,
      same: old?.hash === hash,
    }
  })
  const stored = rows.filter(({ same }) => !same)
  if (stored.length > 0) {
    await content.put(
      tenantId,
      stored.map(({ item_id }) => texts.get(item_id) ?? ''),
    )
    await upsert(trx, tenantId, sourceId, stored)
  }
  const fresh = stored.filter(({ isNew }) => isNew).length
  return {
    new: fresh,
    changed: stored.length - fresh,
    unchanged: rows.length - stored.length,
  }
}

async function upsert(
  trx: Trx,
  tenantId: TenantId,
  sourceId: SourceId,
  rows: readonly { item_id: string; revision: number; hash: string; published_at: string }[],
): Promise<void> {
  const values = rows.map(({ item_id, revision, hash, published_at }) => ({
    tenant_id: tenantId,
    source_id: sourceId,
    item_id,
    revision,
    hash,
    published_at,
  }))
  await trx
    .insertInto('evidence_items')
    .values(values)
    .onConflict((conflict) =>
      conflict.columns(['tenant_id', 'source_id', 'item_id']).doUpdateSet(({ ref }) => ({
        revision: ref('excluded.revision'),
        hash: ref('excluded.hash'),
        published_at: ref('excluded.published_at'),
      })),
    )
    .execute()
  await trx.insertInto('evidence_revisions').values(values).execute()
}

export interface EvidenceRow {
  source: string
  itemId: string
  revision: number
  hash: string
}

/** Items of the tenant, newest first: where they are; their text is content. */
export async function listEvidence(
  trx: Trx,
  tenantId: TenantId,
  {
    limit,
    cursor,
    source,
    from,
    to,
  }: PageQuery & {
    source?: string | undefined
    from?: string | undefined
    to?: string | undefined
  },
): Promise<Page<EvidenceRow>> {
  let query = trx
    .selectFrom('evidence_items as items')
    .innerJoin('sources', (join) =>
      join
        .onRef('sources.tenant_id', '=', 'items.tenant_id')
        .onRef('sources.id', '=', 'items.source_id'),
    )
    .where('items.tenant_id', '=', tenantId)
    .select(['sources.name', 'items.item_id', 'items.revision', 'items.hash', 'items.published_at'])
  if (source !== undefined) query = query.where('sources.name', '=', source)
  if (from) query = query.where('items.published_at', '>=', new Date(from))
  if (to) query = query.where('items.published_at', '<', new Date(to))
  if (cursor) {
    const [at = '', name = '', item = ''] = readCursor(cursor, 3)
    query = query.where(({ eb, refTuple, tuple }) =>
      eb(
        refTuple('items.published_at', 'sources.name', 'items.item_id'),
        '<',
        tuple(readCursorInstant(at), name, item),
      ),
    )
  }
  const rows = await query
    .orderBy('items.published_at', 'desc')
    .orderBy('sources.name', 'desc')
    .orderBy('items.item_id', 'desc')
    .limit(limit + 1)
    .execute()
  return pageFrom(
    rows,
    limit,
    ({ name, item_id, revision, hash }) => ({ source: name, itemId: item_id, revision, hash }),
    (row) => writeCursor(row.published_at.toISOString(), row.name, row.item_id),
  )
}

/** An item as it stands in content. */
export const readEvidenceText = (text: string): EvidenceItem => evidenceItem.parse(JSON.parse(text))
