import {
  connectDatabase,
  createAesCodec,
  migrate,
  plainCodec,
  type Codec,
  type Database,
} from '@almanac/db'
import {
  findEmbeddedPostgres,
  startEmbeddedPostgres,
  type Config,
  type Logger,
  type Shutdown,
} from '@almanac/runtime'
import { migrateQueue } from '@almanac/queue'

/** An open database with its URL and what opens its content. */
export interface OpenDatabase {
  db: Database
  url: string
  codec: Codec
}

/**
 * The database of the configuration: the named one, or the embedded one, started or adopted; brought
 * up to this version. Everything is closed by `shutdown`.
 */
export async function openDatabase(
  config: Config,
  log: Logger,
  shutdown: Pick<Shutdown, 'onShutdown'>,
): Promise<OpenDatabase & { applied: string[] }> {
  const urls = config.database
  let url = urls?.url
  if (url === undefined) {
    const server = await startEmbeddedPostgres({ dataDir: config.dataDir, log })
    shutdown.onShutdown('embedded Postgres', () => server.stop())
    url = server.url
  }
  const applied = await migrateAll(config, url)
  const db = await connect(config, url)
  shutdown.onShutdown('database', () => db.close())
  return { db, url, codec: codecOf(config), applied }
}

/**
 * The database for a command beside a running Almanac, or instead of one: connects to the embedded
 * server that runs, starts it for the time of the command when none does.
 */
export async function withDatabase<T>(
  config: Config,
  log: Logger,
  work: (open: OpenDatabase) => Promise<T>,
): Promise<T> {
  const running = config.database ?? (await findEmbeddedPostgres(config.dataDir))
  const server = running ? undefined : await startEmbeddedPostgres({ dataDir: config.dataDir, log })
  try {
    const url = running?.url ?? server?.url ?? ''
    if (server) await migrateAll(config, url)
    const db = await connect(config, url)
    try {
      return await work({ db, url, codec: codecOf(config) })
    } finally {
      await db.close()
    }
  } finally {
    await server?.stop()
  }
}

/** Migrates the database and, where the queue lives in it, the queue; answers what was applied. */
export async function migrateAll(config: Config, url: string): Promise<string[]> {
  const applied = await migrate({ url, ownerUrl: config.database?.owner })
  if (config.redisUrl === null) await migrateQueue({ databaseUrl: url })
  return applied
}

const connect = (config: Config, url: string): Promise<Database> =>
  connectDatabase({ url, appUrl: config.database?.app, systemUrl: config.database?.system })

/** Content is sealed with the first key; the others only open what they sealed once. */
export function codecOf({ sealKeys: [current, ...older] }: Config): Codec {
  return current ? createAesCodec(current, older) : plainCodec
}
