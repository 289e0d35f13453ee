import { beforeAll, describe, expect, it } from 'vitest'
import { asSuperuser } from '../../../test/support/postgres-server.ts'
import { testDatabase } from '../../../test/support/postgres.ts'
import { failureCode } from './database-failure.ts'
import { monthPartitions } from './partitions.ts'
import { createDriver } from './testing/drive-run.ts'
import { fillTenant } from './testing/fill-tenant.ts'

const { db, url, superuser } = await testDatabase()

const immutable = [
  { table: 'versions', column: 'label' },
  { table: 'artifacts', column: 'sha256' },
  { table: 'audit_events', column: 'detail' },
  { table: 'audit_chain', column: 'hash' },
  { table: 'blobs', column: 'key_id' },
  { table: 'specification_revisions', column: 'hash' },
  { table: 'evidence_revisions', column: 'hash' },
  { table: 'run_events', column: 'type' },
  { table: 'stage_outputs', column: 'output' },
  { table: 'stage_tries', column: 'code' },
]

const refused = '23001'
const outcome = (statement: string) => superuser(statement).then(() => 'done', failureCode)

beforeAll(async () => {
  await fillTenant(db, createDriver(db))
})

describe.each(immutable)('$table', ({ table, column }) => {
  it('refuses UPDATE and DELETE, whoever asks', async () => {
    expect(await outcome(`update ${table} set ${column} = 'x'`)).toBe(refused)
    expect(await outcome(`delete from ${table}`)).toBe(refused)
  })

  it('refuses TRUNCATE', async () => {
    expect(await outcome(`truncate ${table} cascade`)).toBe(refused)
  })
})

describe('the way around', () => {
  it('is not open through a partition', async () => {
    const [{ month } = { month: '' }] = monthPartitions(new Date(), 0, 0)
    for (const table of ['run_events', 'stage_outputs', 'stage_tries'])
      expect(await outcome(`truncate ${table}_${month}`)).toBe(refused)
  })

  it('is a superuser’s who switches triggers off, and nobody else’s', async () => {
    await asSuperuser(url, async (client) => {
      await client.query('set search_path = almanac')
      await client.query('set role almanac_owner')
      await expect(client.query('set session_replication_role = replica')).rejects.toThrow()
      await client.query('reset role')
      await client.query('begin')
      await client.query('set session_replication_role = replica')
      const { rowCount } = await client.query(`update artifacts set sha256 = sha256`)
      expect(rowCount).toBeGreaterThan(0)
      await client.query('rollback')
    })
  })
})
