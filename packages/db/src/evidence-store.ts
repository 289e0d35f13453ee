import { evidenceItem } from '@almanac/domain'
import type { EvidenceStore } from '@almanac/pipeline'
import { sql } from 'kysely'
import type { Codec } from './codec.ts'
import { openText, type StoredBlob } from './content.ts'
import type { Database } from './pool.ts'

interface Row extends StoredBlob {
  source: string
  item_id: string
  revision: number
  hash: string
}

/**
 * Evidence as sources delivered it. An item's content is the canonical JSON of its `evidenceItem`,
 * stored like all content; `evidence_items` names the newest revision by its hash.
 */
export function createEvidenceStore(db: Database, codec: Codec): EvidenceStore {
  return {
    async inWindow({ tenantId, sources, from, to }) {
      const rows = await db.queryTenant(
        sql<Row>`select * from evidence_in_window(
          ${tenantId}, ${sources}::text[], ${from}::timestamptz, ${to}::timestamptz)`,
      )
      return rows.map((row) => ({
        ...evidenceItem.parse(JSON.parse(openText(codec, row, row.hash))),
        id: `${row.source}/${row.item_id}`,
        source: row.source,
        revision: row.revision,
        hash: row.hash,
      }))
    },
    async late({ tenantId, sources, from, since }) {
      const [row] = await db.queryTenant(
        sql<{ late: number }>`select late_evidence(
          ${tenantId}, ${sources}::text[], ${from}::timestamptz, ${since}::timestamptz) as late`,
      )
      return row?.late ?? 0
    },
  }
}
