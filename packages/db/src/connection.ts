import { AlmanacError } from '@almanac/domain'
import { Client } from 'pg'
import { columnTypes } from './column-types.ts'

/** Where Postgres is. `url`'s login is a member of all roles; a role may have a login of its own. */
export interface DatabaseUrls {
  url: string
  ownerUrl?: string | undefined
  appUrl?: string | undefined
  systemUrl?: string | undefined
}

/** Connection settings of a role; settings in the URL's own `options` come first. */
export function connectionOf(url: string, role: string) {
  const own = /[?&]options=([^&]*)/.exec(url)?.[1]
  const settings = [
    ...(own ? [decodeURIComponent(own)] : []),
    `-c role=almanac_${role}`,
    '-c search_path=almanac',
    '-c timezone=UTC',
    '-c jit=off',
    // Over partitions Postgres would plan a prepared statement anew each time it runs.
    '-c plan_cache_mode=force_generic_plan',
  ]
  return {
    connectionString: url.replace(/([?&])options=[^&]*&?/, '$1').replace(/[?&]$/, ''),
    options: settings.join(' '),
    application_name: `almanac-${role}`,
    connectionTimeoutMillis: 10_000,
    keepAlive: true,
    types: columnTypes,
  }
}

/** `host:port` of a connection URL, for people: no login, no password. */
export function whereOf(url: string): string {
  const { host, port } = new Client({ connectionString: url })
  return `${host}:${port}`
}

const oldestServer = 15

/** Throws DATABASE_UNSUITABLE when the server is older than the oldest that works. */
export async function assertVersion(read: () => Promise<string | undefined>): Promise<void> {
  const version = Math.floor(Number(await read()) / 10_000)
  if (version >= oldestServer) return
  const reason = `it is Postgres ${version}, and ${oldestServer} is the oldest that works`
  throw new AlmanacError('DATABASE_UNSUITABLE', { reason })
}
