import { execFile, spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

/**
 * A Redis for tests. Looked for in this order: REDIS_URL; `redis-server` on the PATH, started on a
 * free port in a folder of its own; Debian's package, when root may install it. Where there is none,
 * a CI run fails and any other says loudly what was not covered.
 */
export interface TestRedis {
  url: string
  /** Stops the server if it was started here, and removes its folder. */
  stop(): Promise<void>
}

export interface OwnRedis extends TestRedis {
  port: number
  pid: number
}

const run = promisify(execFile)

/** A Redis that tests may share: use a prefix of one's own, and leave other keys alone. */
export async function findRedis(notCovered = 'the Redis profile'): Promise<TestRedis | undefined> {
  const url = process.env['REDIS_URL']
  return url ? { url, stop: () => Promise.resolve() } : findOwnRedis(notCovered)
}

/** A Redis of one's own: it may be flushed, configured, frozen, and stopped and started again. */
export async function findOwnRedis(notCovered: string): Promise<OwnRedis | undefined> {
  if (await haveServer()) return startRedis()
  const message = `no redis-server was found, so ${notCovered} was NOT covered: install it, or set REDIS_URL`
  if (process.env['CI'] === 'true') throw new Error(message)
  process.stderr.write(`\n!!! ${message} !!!\n\n`)
  return undefined
}

/** Starts a `redis-server` with an append-only file, on `port` or a free one. */
export async function startRedis({ port }: { port?: number } = {}): Promise<OwnRedis> {
  const chosen = port ?? (await freePort())
  const folder = await mkdtemp(join(tmpdir(), 'almanac-redis-'))
  const settings = { port: chosen, bind: '127.0.0.1', dir: folder, appendonly: 'yes', save: '' }
  const server = spawn(
    'redis-server',
    Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]),
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  const kill = () => server.kill('SIGKILL')
  process.on('exit', kill)
  const ended = new Promise<void>((resolve) => server.once('exit', () => resolve()))
  await new Promise<void>((resolve, reject) => {
    let said = ''
    server.stdout.on('data', (text: Buffer) => {
      said += text.toString()
      if (said.includes('Ready to accept connections')) resolve()
    })
    server.once('error', reject)
    server.once('exit', () => reject(new Error(`redis-server did not start:\n${said}`)))
  })
  return {
    url: `redis://127.0.0.1:${chosen}`,
    port: chosen,
    pid: server.pid ?? 0,
    stop: async () => {
      // A frozen server takes no other signal.
      server.kill('SIGCONT')
      server.kill('SIGTERM')
      await ended
      process.off('exit', kill)
      await rm(folder, { recursive: true, force: true })
    },
  }
}

let looked: Promise<boolean> | undefined

/** Whether `redis-server` can be started, after installing it if that is possible. */
const haveServer = (): Promise<boolean> => (looked ??= lookForServer())

async function lookForServer(): Promise<boolean> {
  const onPath = () => succeeds('redis-server', ['--version'])
  if (await onPath()) return true
  if (process.getuid?.() !== 0 || !(await succeeds('apt-get', ['--version']))) return false
  const apt = (...args: string[]) =>
    succeeds('apt-get', ['-qq', '-o', 'DPkg::Lock::Timeout=120', ...args], {
      DEBIAN_FRONTEND: 'noninteractive',
      // The package would start a server of the machine's own.
      RUNLEVEL: '1',
    })
  const install = () => apt('install', '-y', '--no-install-recommends', 'redis-server')
  if (!(await install())) await apt('update').then(install)
  return onPath()
}

const succeeds = (file: string, args: string[], environment: Record<string, string> = {}) =>
  run(file, args, { env: { ...process.env, ...environment } }).then(
    () => true,
    () => false,
  )

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo
      server.close(() => resolve(port))
    })
  })
}
