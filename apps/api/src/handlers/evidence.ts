import {
  createSource,
  ensureSource,
  importBatch,
  listEvidence,
  listSources,
  readEvidenceText,
} from '@almanac/db'
import type { evidenceRoutes } from '@almanac/domain'
import type { Handlers } from '../binding/route-handler.ts'
import { bodyBytes } from '../importing/body-bytes.ts'
import { importLines } from '../importing/import-lines.ts'
import { ndjsonLines } from '../importing/ndjson-lines.ts'
import type { ApiParts } from '../parts.ts'

/** The handlers of `/v1/sources` and `/v1/evidence`. */
export const evidenceHandlers = ({
  db,
  content,
  limits,
}: ApiParts): Handlers<keyof typeof evidenceRoutes> => ({
  createSource: {
    change: async (trx, { caller: { tenantId }, body: { name, mapping } }) => ({
      body: await createSource(trx, tenantId, name, mapping),
    }),
  },
  listSources: async ({ caller: { tenantId }, query }) => ({
    body: await db.withTenant(tenantId, (trx) => listSources(trx, tenantId, query)),
  }),
  importEvidence: async ({ caller: { tenantId }, query, request }) => {
    const bytes = bodyBytes(request, limits.importBytes)
    const { id, mapping } = await db.withTenant(tenantId, (trx) =>
      ensureSource(trx, tenantId, query.source),
    )
    const body = await importLines(query.source, ndjsonLines(bytes, limits), mapping, (items) =>
      importBatch(db, content, tenantId, id, items),
    )
    return { body }
  },
  listEvidence: async ({ caller: { tenantId }, query }) => {
    const page = await db.withTenant(tenantId, (trx) => listEvidence(trx, tenantId, query))
    const data = await Promise.all(
      page.data.map(async ({ source, itemId, revision, hash }) => {
        const item = readEvidenceText(await content.get(tenantId, hash))
        return { id: `${source}/${itemId}`, source, revision, hash, ...item, url: item.url ?? null }
      }),
    )
    return { body: { data, nextCursor: page.nextCursor } }
  },
})
