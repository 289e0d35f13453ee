import { execFile } from 'node:child_process'
import { stat } from 'node:fs/promises'
import { promisify } from 'node:util'
import { AlmanacError } from '@almanac/domain'
import type { Log } from '../logger.ts'

/** The user that the server runs as; undefined is the user of this process. */
export type Account = { uid: number; gid: number } | undefined

const run = promisify(execFile)

/** The account that root's servers run as, since Postgres refuses to run as root. */
const accountName = 'almanac'

export const isRoot = (): boolean => process.getuid?.() === 0

/** The account for a new database: none of its own for an ordinary user; root's is made when missing. */
export async function newAccount(log: Log): Promise<Account> {
  if (!isRoot()) return undefined
  const existing = (await lookUp(accountName)) ?? (await createAccount(log))
  // Where no account can be made, one that distributions bring for the same purpose does as well.
  const account = existing ?? (await lookUp('postgres'))
  if (account !== undefined) return account
  throw new AlmanacError('DATABASE_UNSUITABLE', {
    reason: `Postgres does not run as root, and the user ${accountName} could not be made for it; start Almanac as an ordinary user, or set DATABASE_URL`,
  })
}

/** The account for a database that exists: that of its owner. */
export async function accountOf(folder: string): Promise<Account> {
  if (!isRoot()) return undefined
  const { uid, gid } = await stat(folder)
  return { uid, gid }
}

/** Whether the account can pass through all the folders above `path`, and into it or execute it. */
export const canEnter = (account: Account, path: string): Promise<boolean> =>
  succeeds(account, '/bin/sh', ['-c', 'test -x "$1"', 'sh', path])

/** Whether the account can run the program and read what lies at `path`. */
export const canRun = async (account: Account, program: string, path: string): Promise<boolean> =>
  (await succeeds(account, program, ['--version'])) &&
  (await succeeds(account, '/bin/sh', ['-c', 'test -r "$1"', 'sh', path]))

const succeeds = (account: Account, file: string, args: string[]): Promise<boolean> =>
  run(file, args, { ...account, cwd: '/' }).then(
    () => true,
    () => false,
  )

async function createAccount(log: Log): Promise<Account> {
  const shell = ['--shell', '/usr/sbin/nologin', '--home-dir', '/nonexistent', '--no-create-home']
  // A failure may mean that another process has just made it: only the look-up counts.
  await run('useradd', ['--system', '--user-group', ...shell, accountName]).catch(() => undefined)
  const account = await lookUp(accountName)
  if (account !== undefined) {
    log.info({ user: accountName }, 'made a system user for the embedded Postgres')
  }
  return account
}

async function lookUp(name: string): Promise<Account> {
  try {
    const [uid, gid] = await Promise.all([run('id', ['-u', name]), run('id', ['-g', name])])
    return { uid: Number(uid.stdout), gid: Number(gid.stdout) }
  } catch {
    return undefined
  }
}
