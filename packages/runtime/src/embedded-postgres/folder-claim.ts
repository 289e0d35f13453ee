import { randomBytes } from 'node:crypto'
import { chmod, chown, mkdir, readFile, realpath, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { AlmanacError } from '@almanac/domain'
import { reasonOf } from './reason.ts'

/** The sole right to run the database of a data folder, until it is released or the process dies. */
export interface FolderClaim {
  /** The folder's real path, absolute. */
  folder: string
  release(): void
}

/**
 * Creates the folder if need be and claims it. Throws FOLDER_UNUSABLE when it cannot be written, or
 * when another living Almanac has it.
 */
export async function claimFolder(folder: string): Promise<FolderClaim> {
  try {
    const real = await writableFolder(folder)
    const [lockFile, holderFile] = [join(real, 'lock'), join(real, 'pid')]
    const lock = takeLock(lockFile)
    if (lock === undefined) throw await inUse(folder, holderFile)
    await writeFile(holderFile, `${process.pid}\n`)
    await shareWithOwner(real, [lockFile, holderFile])
    return { folder: real, release: () => lock.close() }
  } catch (error) {
    throw unusable(folder, error)
  }
}

async function inUse(folder: string, holderFile: string): Promise<AlmanacError> {
  const pid = (await readFile(holderFile, 'utf8').catch(() => '')).trim()
  const who = /^\d+$/.test(pid) ? `another Almanac (process ${pid})` : 'another Almanac'
  return new AlmanacError('FOLDER_UNUSABLE', { folder, reason: `${who} is running on it` })
}

/** FOLDER_UNUSABLE with the reason in words, unless the error already is one for people. */
export function unusable(folder: string, error: unknown): AlmanacError {
  if (error instanceof AlmanacError) return error
  return new AlmanacError('FOLDER_UNUSABLE', { folder, reason: reasonOf(error) }, { cause: error })
}

async function writableFolder(folder: string): Promise<string> {
  const created = await mkdir(folder, { recursive: true })
  // The server of a root user's database runs as another user, who must be able to pass through.
  if (created !== undefined) await chmod(folder, process.getuid?.() === 0 ? 0o711 : 0o700)
  const probe = join(folder, `.probe-${randomBytes(6).toString('hex')}`)
  await writeFile(probe, 'Almanac looks whether it can write here.\n')
  await rm(probe)
  return realpath(folder)
}

/**
 * An exclusive lock that the operating system drops when the process dies, however it dies. Node has
 * none of its own, so an empty SQLite file stands for it: no process id that could be reused, no
 * race over a file left behind. Undefined when another holder lives. Nothing else may open the
 * file: a POSIX lock is lost when its process closes any descriptor of it.
 */
function takeLock(file: string): DatabaseSync | undefined {
  const database = new DatabaseSync(file, { timeout: 0 })
  try {
    database.exec('PRAGMA journal_mode = MEMORY; PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE')
    return database
  } catch (error) {
    database.close()
    if (error instanceof Error && error.message === 'database is locked') return undefined
    throw error
  }
}

/** Root in somebody's folder leaves that somebody able to use it alone next time. */
async function shareWithOwner(folder: string, files: readonly string[]): Promise<void> {
  if (process.getuid?.() !== 0) return
  const { uid, gid } = await stat(folder)
  for (const file of files) await chown(file, uid, gid)
}
