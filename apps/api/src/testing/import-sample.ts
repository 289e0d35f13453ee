import { createPorts, ensureSource, importBatch, type Database } from '@almanac/db'
import { fieldMapping, readEvidenceLine } from '@almanac/domain'
import { readFileSync } from 'node:fs'
import type { TestTenant } from '../../../../test/support/postgres.ts'
import { sampleEvidenceFile, sampleSpecification } from '../../../../test/support/sample.ts'

/** Gives a tenant the evidence of the example. */
export async function importSample(db: Database, { tenantId }: TestTenant): Promise<void> {
  const [name = ''] = sampleSpecification().sources
  const { id } = await db.withTenant(tenantId, (trx) => ensureSource(trx, tenantId, name))
  const lines = readFileSync(sampleEvidenceFile, 'utf8').split('\n').filter(Boolean)
  const items = lines.map((line) => readEvidenceLine(line, fieldMapping.parse({})))
  await importBatch(db, createPorts(db).content, tenantId, id, items)
}
