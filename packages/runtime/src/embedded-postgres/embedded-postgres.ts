import { chown, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { AlmanacError } from '@almanac/domain'
import type { Log } from '../logger.ts'
import { findBinaries, reachableBinaries } from './binaries.ts'
import {
  checkVersion,
  createCluster,
  databaseName,
  findCluster,
  removeCluster,
  superuser,
  type Cluster,
} from './cluster.ts'
import { claimFolder, unusable } from './folder-claim.ts'
import { findPostmaster, settledPostmaster, stopPostmaster } from './postmaster.ts'
import { startServer } from './server.ts'

/**
 * A Postgres of Almanac's own, on the loopback address, in a data folder:
 *
 *   1. Claim the folder, so that one process at a time runs its database.
 *   2. No database yet: make one, with a random password and the database `almanac`.
 *   3. A server of this database lives, because whoever started it was killed: adopt it.
 *   4. Otherwise start one, on the port of last time if that is free. It is no child in the
 *      terminal's eyes: Ctrl-C reaches Almanac alone, which stops it last.
 *   5. `stop` writes everything, ends the server, adopted or not, and gives the folder back.
 */
export interface EmbeddedPostgres {
  /** With user and password, of the database `almanac`; a superuser's. */
  url: string
  port: number
  /** Whether the server was already running. */
  adopted: boolean
  /** Where the database lies: in the data folder, unless the server's user cannot enter that. */
  folder: string
  /** Resolves when the server is gone; calling it again waits for the same. */
  stop(): Promise<void>
}

export interface EmbeddedPostgresOptions {
  /** The data folder; made when it is missing. */
  dataDir: string
  /** Where a server that is not running yet has to listen; by default where it did last, or anywhere. */
  port?: number
  log: Log
  /** Where root's server keeps what its user could not reach elsewhere. */
  refuge?: string
}

/** How long a server may recover from a crash before we give up on it. */
const settleMs = 300_000

/** How long a server may take to write everything before it is stopped without. */
const stopMs = 30_000

/** Starts or adopts the database of a data folder. Throws FOLDER_UNUSABLE, PORT_TAKEN or DATABASE_…. */
export async function startEmbeddedPostgres(
  options: EmbeddedPostgresOptions,
): Promise<EmbeddedPostgres> {
  const { dataDir, log, refuge = '/var/lib/almanac' } = options
  const claim = await claimFolder(dataDir)
  try {
    const binaries = await findBinaries()
    const cluster =
      (await findCluster(claim.folder)) ??
      (await createCluster(claim.folder, binaries, refuge, log))
    const password = await readPassword(cluster)
    const living = await settledPostmaster(cluster.data, settleMs)
    if (living) log.info({ port: living.port }, 'adopted the embedded Postgres that still ran')
    else await checkVersion(cluster, dataDir, binaries)
    const start = async () => {
      const runnable = await reachableBinaries(binaries, cluster.account, refuge, log)
      return startServer(cluster, runnable, options)
    }
    const port = living?.port ?? (await start())
    await rememberPort(cluster, port)
    let stopped: Promise<void> | undefined
    return {
      url: urlOf(password, port),
      port,
      adopted: living !== undefined,
      folder: cluster.folder,
      stop: () => (stopped ??= stopPostmaster(cluster.data, stopMs).finally(claim.release)),
    }
  } catch (error) {
    claim.release()
    throw unusable(dataDir, error)
  }
}

/** The URL of the server of a data folder if one is ready, whoever runs it. */
export async function findEmbeddedPostgres(dataDir: string): Promise<{ url: string } | undefined> {
  const cluster = await findCluster(dataDir)
  const living = cluster && (await findPostmaster(cluster.data))
  if (cluster === undefined || living?.doing !== 'ready') return undefined
  return { url: urlOf(await readPassword(cluster), living.port) }
}

/** Stops and removes the database of a data folder. Throws FOLDER_UNUSABLE when it is in use. */
export async function removeEmbeddedPostgres(dataDir: string): Promise<void> {
  const claim = await claimFolder(dataDir)
  try {
    const cluster = await findCluster(claim.folder).catch(() => undefined)
    if (cluster) await stopPostmaster(cluster.data, stopMs)
    await removeCluster(claim.folder)
  } catch (error) {
    throw unusable(dataDir, error)
  } finally {
    claim.release()
  }
}

const urlOf = (password: string, port: number): string =>
  `postgres://${superuser}:${password}@127.0.0.1:${port}/${databaseName}`

async function readPassword({ folder }: Cluster): Promise<string> {
  const password = (await readFile(join(folder, 'password'), 'utf8').catch(() => '')).trim()
  if (password) return password
  const reason = 'the password of its database cannot be read'
  throw new AlmanacError('FOLDER_UNUSABLE', { folder, reason })
}

async function rememberPort({ folder, account }: Cluster, port: number): Promise<void> {
  const file = join(folder, 'port')
  await writeFile(file, `${port}\n`)
  if (account) await chown(file, account.uid, account.gid)
}
