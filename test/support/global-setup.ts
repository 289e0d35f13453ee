import { migrate } from '@almanac/db'
import type { TestProject } from 'vitest/node'
import { asSuperuser, databaseUrl, findServer } from './postgres-server.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    /** The test server, as its superuser. */
    postgresUrl: string
    /** The name of a migrated database on it, to be cloned. */
    postgresTemplate: string
  }
}

/** One Postgres a test run, with a migrated template that test files clone. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = await findServer()
  const template = `almanac_template_${process.pid}`
  await asSuperuser(server.url, (client) => client.query(`create database ${template}`))
  await migrate({ url: databaseUrl(server.url, template) })
  project.provide('postgresUrl', server.url)
  project.provide('postgresTemplate', template)
  return async () => {
    await asSuperuser(server.url, (client) =>
      client.query(`drop database ${template} with (force)`),
    )
    await server.stop()
  }
}
