import { AlmanacError } from '@almanac/domain'
import {
  createLogger,
  removeEmbeddedPostgres,
  startEmbeddedPostgres,
  type Config,
} from '@almanac/runtime'
import type { Screen } from '../screen.ts'
import { migrateAll } from '../system/database.ts'

/** `almanac migrate`: brings the database up to this version; says what it did. */
export async function migrateDatabase(screen: Screen, config: Config): Promise<void> {
  const log = createLogger(config, 'stderr')
  const server = config.database
    ? undefined
    : await startEmbeddedPostgres({ dataDir: config.dataDir, log })
  try {
    const applied = await migrateAll(config, config.database?.url ?? server?.url ?? '')
    screen.say(
      applied.length > 0 ? `Applied: ${applied.join(', ')}` : 'The database is up to date.',
    )
    screen.result({ applied })
  } finally {
    await server?.stop()
  }
}

/** `almanac reset`: deletes the embedded database; never one that DATABASE_URL names. */
export async function resetData(screen: Screen, config: Config, sure: boolean): Promise<void> {
  if (config.database)
    throw new AlmanacError('STATE_CONFLICT', {
      what: 'installation',
      state: 'on a database of its own (DATABASE_URL)',
      allowed: 'on the embedded one',
    })
  if (!sure) {
    screen.warn(`This deletes everything in ${config.dataDir}: call it again with --yes.`)
    process.exitCode = 1
    return
  }
  await removeEmbeddedPostgres(config.dataDir)
  screen.say(`The database in ${config.dataDir} is deleted.`)
  screen.result({ deleted: config.dataDir })
}
