import { isAlmanacError } from '@almanac/domain'
import { sql } from 'kysely'
import { describe, expect, it } from 'vitest'
import { testDatabase, testTenant } from '../../../test/support/postgres.ts'
import { columnTypes } from './column-types.ts'

const { db, superuser } = await testDatabase()
const { tenantId } = await testTenant(db)

/** Ends a server process, as a crash does, and only that one. */
const kill = (pid: number | undefined) => superuser('select pg_terminate_backend($1)', [pid])
const ownPid = sql<{ pid: number }>`select pg_backend_pid() as pid`

describe('a transaction', () => {
  it('keeps nothing of what it did when its work throws', async () => {
    await expect(
      db.withSystem('tenants', async (trx) => {
        await trx.updateTable('tenants').set({ name: 'changed' }).execute()
        throw new Error('no')
      }),
    ).rejects.toThrow('no')
    const names = await db.withTenant(tenantId, (trx) =>
      trx.selectFrom('tenants').select('name').execute(),
    )
    expect(names).toEqual([{ name: 'Test tenant' }])
  })

  it('whose failure was swallowed says that it was rolled back', async () => {
    await expect(
      db.withSystem('tenants', (trx) => sql`select 1 / 0`.execute(trx).catch(() => undefined)),
    ).rejects.toThrow('swallowed')
  })

  it('says in whose name it runs', async () => {
    const names = await db.withSystem('sweep', async (trx) => {
      const { rows } = await sql<{ name: string; role: string }>`select
        current_setting('application_name') as name, current_user as role`.execute(trx)
      return rows
    })
    expect(names).toEqual([{ name: 'almanac-system-sweep', role: 'almanac_system' }])
    const [after] = await db.querySystem(
      'sweep',
      sql<{ name: string }>`select current_setting('application_name') as name`,
    )
    expect(after?.name).toBe('almanac-system')
  })

  it('whose connection breaks fails with one sentence, and the process lives on', async () => {
    const broken = db.withTenant(tenantId, async (trx) => {
      await kill((await ownPid.execute(trx)).rows[0]?.pid)
      return trx.selectFrom('tenants').select('name').execute()
    })
    await expect(broken).rejects.toSatisfy((error) => isAlmanacError(error, 'DATABASE_UNREACHABLE'))
    const names = await db.withTenant(tenantId, (trx) =>
      trx.selectFrom('tenants').select('id').execute(),
    )
    expect(names).toEqual([{ id: tenantId }])
  })
})

describe('a connection of one’s own', () => {
  it('says when it is lost', async () => {
    const { lost, query } = await db.dedicate('leadership')
    expect(await query('select current_user as role')).toEqual([{ role: 'almanac_system' }])
    const told = new Promise((resolve) => lost.addEventListener('abort', resolve))
    const [self] = await query<{ pid: number }>('select pg_backend_pid() as pid')
    await kill(self?.pid)
    await told
    expect(lost.aborted).toBe(true)
  })
})

describe('values', () => {
  it('come out as what they are', async () => {
    const [row] = await db.querySystem(
      'verify',
      sql`select 9007199254740991::bigint as big, date '2026-11-21' as day,
        timestamptz '2026-11-21T10:00:00.123Z' as at, '{"a": [1]}'::jsonb as json`,
    )
    expect(row).toEqual({
      big: Number.MAX_SAFE_INTEGER,
      day: '2026-11-21',
      at: new Date('2026-11-21T10:00:00.123Z'),
      json: { a: [1] },
    })
  })

  it('too large for a number are refused rather than rounded', async () => {
    expect(() => columnTypes.getTypeParser(20)('9007199254740993')).toThrow(RangeError)
    await expect(
      db.querySystem('verify', sql`select 9007199254740993::bigint as big`),
    ).rejects.toThrow(RangeError)
  })
})
