import { ensureSource, importBatch, type Database } from '@almanac/db'
import { readEvidenceLine } from '@almanac/domain'
import type { Content } from '@almanac/pipeline'
import { readFileSync } from 'node:fs'
import { sampleEvidenceFile } from './sample.ts'
import type { TestTenant } from './tenant.ts'

/** The sample's items, one JSON object a line. */
export const sampleLines = (): string[] =>
  readFileSync(sampleEvidenceFile, 'utf8').split('\n').filter(Boolean)

/** Imports lines of evidence into the first source of a tenant's specification. */
export async function importLines(
  db: Database,
  content: Content,
  { tenantId, body }: TestTenant,
  lines: readonly string[],
): Promise<void> {
  const source = body.kind === 'report' ? (body.sources[0] ?? '') : ''
  const { id, mapping } = await db.withTenant(tenantId, (trx) =>
    ensureSource(trx, tenantId, source),
  )
  const items = lines.map((line) => readEvidenceLine(line, mapping))
  await importBatch(db, content, tenantId, id, items)
}
