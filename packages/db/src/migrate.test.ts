import { isAlmanacError } from '@almanac/domain'
import { readdirSync } from 'node:fs'
import { describe, expect, inject, it } from 'vitest'
import { emptyDatabase } from '../../../test/support/postgres.ts'
import { asSuperuser, databaseUrl } from '../../../test/support/postgres-server.ts'
import { assertMigrated, migrate, migrationState } from './migrate.ts'
import { monthPartitions } from './partitions.ts'
import { connectDatabase } from './pool.ts'

const names = readdirSync(new URL('./migrations/', import.meta.url))
  .map((file) => file.replace('.sql', ''))
  .sort()

describe('migrate', () => {
  it('applies every migration once, in order, and nothing the second time', async () => {
    const url = await emptyDatabase()
    expect(await migrate({ url })).toEqual(names)
    expect(await migrate({ url })).toEqual([])
  })

  it('lets two that start at once take turns, in one database and in two of a cluster', async () => {
    const [one, other] = [await emptyDatabase(), await emptyDatabase()]
    const applied = await Promise.all([one, one, other, other].map((url) => migrate({ url })))
    const [a = [], b = [], c = [], d = []] = applied
    expect([...a, ...b]).toEqual(names)
    expect([...c, ...d]).toEqual(names)
  })

  it('makes the partitions of last month, this one and the three after it', async () => {
    const url = await emptyDatabase()
    await migrate({ url })
    const rows = await asSuperuser(url, (client) =>
      client.query<{ name: string }>(
        `select c.relname as name from pg_inherits i join pg_class c on c.oid = i.inhrelid
          join pg_class p on p.oid = i.inhparent where p.relname = 'runs' and c.relkind = 'r'
          order by c.relname collate "C"`,
      ),
    )
    const months = monthPartitions(new Date(), 1, 3).map(({ month }) => `runs_${month}`)
    expect(rows.rows.map(({ name }) => name)).toEqual(months)
  })

  it('works for a login that is no superuser but may create roles and owns its database', async () => {
    const url = await emptyDatabase()
    const login = `login_${Date.now().toString(36)}`
    const name = new URL(url).pathname.slice(1)
    await asSuperuser(url, async (client) => {
      await client.query(`create role ${login} login createrole password 'secret'`)
      await client.query(`alter database ${name} owner to ${login}`)
      // In a cluster of its own it would have made the roles itself.
      for (const role of ['owner', 'app', 'system', 'operator_read'])
        await client.query(`grant almanac_${role} to ${login} with admin option`)
    })
    const own = new URL(url)
    own.username = login
    own.password = 'secret'
    expect(await migrate({ url: own.href })).toEqual(names)
    const db = await connectDatabase({ url: own.href })
    expect((await migrationState(db)).missing).toEqual([])
    await db.close()
    await asSuperuser(url, async (client) => {
      await client.query(`alter database ${name} owner to current_user`)
      await client.query(`reassign owned by ${login} to current_user`)
      await client.query(`drop owned by ${login}`)
      await client.query(`drop role ${login}`)
    })
  })
})

describe('readiness', () => {
  it('knows what is applied', async () => {
    const url = await emptyDatabase()
    await migrate({ url })
    const db = await connectDatabase({ url })
    expect(await migrationState(db)).toEqual({ applied: names, missing: [] })
    await assertMigrated(db)
    await asSuperuser(url, (client) =>
      client.query(`delete from almanac_migration.kysely_migration where name > '0010'`),
    )
    await expect(assertMigrated(db)).rejects.toSatisfy((error) =>
      isAlmanacError(error, 'DATABASE_NOT_MIGRATED'),
    )
    await db.close()
  })

  it('says that a database nobody migrated is not migrated', async () => {
    const db = await connectDatabase({ url: await emptyDatabase() })
    expect((await migrationState(db)).missing).toEqual(names)
    await db.close()
  })
})

describe('connecting', () => {
  const failure = (url: string) =>
    connectDatabase({ url }).then(
      () => undefined,
      (error: unknown) => (error instanceof Error ? error.message : ''),
    )

  it('says in one sentence, and without secrets, why it does not work', async () => {
    const server = new URL(inject('postgresUrl'))
    const refused = new URL(server)
    refused.port = '1'
    expect(await failure(refused.href)).toBe(
      'Postgres at 127.0.0.1:1 cannot be reached: the connection was refused.',
    )
    const wrong = new URL(server)
    wrong.password = 'not-the-password'
    if (server.password)
      expect(await failure(wrong.href)).toBe(
        `Postgres at ${server.host} cannot be reached: the password is wrong.`,
      )
    expect(await failure(databaseUrl(server.href, 'no_such_database'))).toBe(
      `Postgres at ${server.host} cannot be reached: there is no such database.`,
    )
  })
})
