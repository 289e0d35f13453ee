/** The part of node-postgres (https://node-postgres.com) that Almanac uses. */
declare module 'pg' {
  import type { PostgresPoolClient } from 'kysely'
  import type { EventEmitter } from 'node:events'

  export interface ClientConfig {
    connectionString?: string
    host?: string
    port?: number
    user?: string
    password?: string
    database?: string
    options?: string
    application_name?: string
    connectionTimeoutMillis?: number
    keepAlive?: boolean
    types?: { getTypeParser(oid: number, format?: 'text' | 'binary'): (text: string) => unknown }
  }

  export interface PoolConfig extends ClientConfig {
    max?: number
    idleTimeoutMillis?: number
    allowExitOnIdle?: boolean
  }

  export interface QueryResult<R> {
    command: 'UPDATE' | 'DELETE' | 'INSERT' | 'SELECT' | 'MERGE' | 'COMMIT' | 'ROLLBACK'
    rowCount: number
    rows: R[]
  }

  export class Client extends EventEmitter {
    constructor(config: ClientConfig)
    readonly host: string
    readonly port: number
    connect(): Promise<Client>
    query<R = Record<string, unknown>>(
      sql: string,
      parameters?: readonly unknown[],
    ): Promise<QueryResult<R>>
    end(): Promise<void>
    escapeIdentifier(name: string): string
    escapeLiteral(text: string): string
  }

  export class Pool extends EventEmitter {
    constructor(config: PoolConfig)
    readonly options: object
    connect(): Promise<PostgresPoolClient>
    end(): Promise<void>
  }

  export const types: {
    getTypeParser(oid: number, format?: 'text' | 'binary'): (text: string) => unknown
  }

  /** What the server answers to a statement that fails. */
  export class DatabaseError extends Error {
    readonly code?: string
    readonly detail?: string
    readonly constraint?: string
    readonly table?: string
  }
}
