import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import {
  chown,
  lstat,
  mkdir,
  readFile,
  readdir,
  readlink,
  realpath,
  rename,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises'
import { join } from 'node:path'
import { AlmanacError } from '@almanac/domain'
import type { Log } from '../logger.ts'
import { accountOf, canEnter, newAccount, type Account } from './account.ts'
import { majorVersion, openFolder, program, reachableBinaries, type Binaries } from './binaries.ts'
import { reasonOf } from './reason.ts'

/**
 * A database of Almanac on disk: the folder `postgres` of a data folder, with
 *
 *   data/       what Postgres calls its data directory
 *   password    the superuser's, mode 0600
 *   port        where it listened last
 *   server.log  what the server said since its last start
 *
 * Root's server runs as a user of its own. When that user cannot enter the data folder, the folder
 * `postgres` lies in a refuge instead, and a symbolic link in the data folder leads there.
 */
export interface Cluster {
  folder: string
  data: string
  account: Account
}

export const superuser = 'almanac'
export const databaseName = 'almanac'

const linkIn = (dataFolder: string) => join(dataFolder, 'postgres')

/** The database of a data folder, or undefined when it has none yet. */
export async function findCluster(dataFolder: string): Promise<Cluster | undefined> {
  const link = linkIn(dataFolder)
  const entry = await lstat(link).catch(() => undefined)
  if (entry === undefined) return undefined
  const folder = await realpath(link).catch(() => undefined)
  if (folder === undefined) {
    const reason = `its database lay in ${await readlink(link)}, which is gone`
    throw new AlmanacError('FOLDER_UNUSABLE', { folder: dataFolder, reason })
  }
  return { folder, data: join(folder, 'data'), account: await accountOf(folder) }
}

/**
 * Makes the database of a data folder that has none. It is made aside and moved into place when it is
 * complete, so that a start that was killed leaves nothing half done.
 */
export async function createCluster(
  dataFolder: string,
  binaries: Binaries,
  refuge: string,
  log: Log,
): Promise<Cluster> {
  const account = await newAccount(log)
  const runnable = await reachableBinaries(binaries, account, refuge, log)
  const reachable = account === undefined || (await canEnter(account, dataFolder))
  const home = reachable ? linkIn(dataFolder) : await placeInRefuge(refuge)
  if (!reachable) {
    log.info(
      { folder: home },
      'the database lies outside of the data folder, which its user cannot enter',
    )
  }
  await removeUnfinished(dataFolder)
  const unfinished = `${home}.new-${randomName()}`
  try {
    await fillCluster(unfinished, account, runnable, dataFolder)
    await rename(unfinished, home)
  } catch (error) {
    await rm(unfinished, { recursive: true, force: true })
    throw error
  }
  if (!reachable) await symlink(home, linkIn(dataFolder))
  return { folder: home, data: join(home, 'data'), account }
}

/** Removes the database of a data folder, wherever it lies; its server must not run. */
export async function removeCluster(dataFolder: string): Promise<void> {
  const link = linkIn(dataFolder)
  const folder = await realpath(link).catch(() => undefined)
  if (folder !== undefined) await rm(folder, { recursive: true, force: true })
  await rm(link, { recursive: true, force: true })
}

/** Throws FOLDER_UNUSABLE when another major version of Postgres made the database. */
export async function checkVersion(
  { data }: Cluster,
  dataFolder: string,
  binaries: Binaries,
): Promise<void> {
  const found = (await readFile(join(data, 'PG_VERSION'), 'utf8')).trim()
  const wanted = majorVersion(binaries)
  if (found === wanted) return
  const reason = `its database was made by Postgres ${found}, and this Almanac brings Postgres ${wanted}`
  throw new AlmanacError('FOLDER_UNUSABLE', { folder: dataFolder, reason })
}

async function placeInRefuge(refuge: string): Promise<string> {
  const databases = join(refuge, 'databases')
  await openFolder(refuge)
  await openFolder(databases)
  return join(databases, randomName())
}

const randomName = (): string => randomBytes(8).toString('hex')

async function removeUnfinished(dataFolder: string): Promise<void> {
  const names = await readdir(dataFolder)
  const unfinished = names.filter((name) => name.startsWith('postgres.new-'))
  await Promise.all(
    unfinished.map((name) => rm(join(dataFolder, name), { recursive: true, force: true })),
  )
}

async function fillCluster(
  folder: string,
  account: Account,
  binaries: Binaries,
  dataFolder: string,
): Promise<void> {
  const data = join(folder, 'data')
  const password = join(folder, 'password')
  await mkdir(folder, { mode: 0o700 })
  await writeFile(password, `${randomBytes(24).toString('base64url')}\n`, { mode: 0o600 })
  if (account) {
    await chown(folder, account.uid, account.gid)
    await chown(password, account.uid, account.gid)
  }
  const initdb = [
    ['--pgdata', data, '--username', superuser, '--pwfile', password, '--auth', 'scram-sha-256'],
    // The same order and case rules on every machine, whatever its locales.
    ['--encoding', 'UTF8', '--locale', 'C'],
    ['--locale-provider', 'builtin', '--builtin-locale', 'C.UTF-8', '--no-instructions'],
  ].flat()
  await runProgram(program(binaries, 'initdb'), initdb, '', account, dataFolder)
  const single = ['--single', '-c', 'exit_on_error=true', '-D', data, 'postgres']
  const statement = `CREATE DATABASE ${databaseName};\n`
  await runProgram(program(binaries, 'postgres'), single, statement, account, dataFolder)
}

/** Runs one of Postgres's programs to its end; a failure is FOLDER_UNUSABLE with what it said. */
function runProgram(
  file: string,
  args: readonly string[],
  input: string,
  account: Account,
  dataFolder: string,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { ...account, cwd: '/', env: serverEnvironment })
    const output: Buffer[] = []
    child.stdout.resume()
    child.stderr.on('data', (chunk: Buffer) => output.push(chunk))
    child.stdin.on('error', () => undefined)
    child.stdin.end(input)
    child.on('error', reject)
    child.on('close', (code) => {
      if (code === 0) return resolve()
      const reason = reasonOf(Buffer.concat(output).toString('utf8'))
      reject(new AlmanacError('FOLDER_UNUSABLE', { folder: dataFolder, reason }))
    })
  })
}

/** All of the environment that Postgres gets: messages in English, and none of Almanac's secrets. */
export const serverEnvironment = { LC_ALL: 'C', TZ: 'UTC' }
