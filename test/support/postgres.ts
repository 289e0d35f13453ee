export { queueRun, testTenant, type TestTenant, type TestTenantOptions } from './tenant.ts'

import { connectDatabase, type Database } from '@almanac/db'
import { randomBytes } from 'node:crypto'
import { afterAll, inject } from 'vitest'
import { asSuperuser, databaseUrl } from './postgres-server.ts'

/** A database of a test file's own, migrated; it is gone when the file is done. */
export interface TestDatabase {
  url: string
  db: Database
  /** One statement with all rights, past Row-Level Security. */
  superuser<R = Record<string, unknown>>(
    statement: string,
    parameters?: readonly unknown[],
  ): Promise<R[]>
  /** The same with triggers and foreign keys off: what only somebody who means harm does. */
  tamper(statement: string, parameters?: readonly unknown[]): Promise<void>
}

/** Clones the template. To be awaited at the top of a test file, where it can register its end. */
export async function testDatabase(): Promise<TestDatabase> {
  const url = await cloneDatabase(inject('postgresTemplate'))
  const db = await connectDatabase({ url })
  afterAll(async () => {
    await db.close()
    await dropDatabase(url)
  })
  return {
    url,
    db,
    superuser: (statement, parameters) =>
      asSuperuser(url, async (client) => {
        await client.query('set search_path = almanac')
        return (await client.query<never>(statement, parameters)).rows
      }),
    tamper: (statement, parameters) =>
      asSuperuser(url, async (client) => {
        await client.query('set search_path = almanac; set session_replication_role = replica')
        await client.query(statement, parameters)
      }),
  }
}

/** The URL of a database with nothing in it, for tests of migrating. */
export async function emptyDatabase(): Promise<string> {
  const url = await cloneDatabase('template0')
  afterAll(() => dropDatabase(url))
  return url
}

async function cloneDatabase(template: string): Promise<string> {
  const server = inject('postgresUrl')
  const name = `almanac_test_${randomBytes(6).toString('hex')}`
  await asSuperuser(server, (client) =>
    client.query(`create database ${name} template ${template}`),
  )
  return databaseUrl(server, name)
}

async function dropDatabase(url: string): Promise<void> {
  const name = new URL(url).pathname.slice(1)
  await asSuperuser(inject('postgresUrl'), (client) =>
    client.query(`drop database ${name} with (force)`),
  )
}
