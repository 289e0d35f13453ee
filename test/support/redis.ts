import { execFile, spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

/**
 * A Redis for tests. Looked for in this order: REDIS_URL; `redis-server` on the PATH, started on a
 * free port in a folder of its own; a container, where a Docker engine answers and has or gets the
 * image; Debian's package, when root may install it. Where there is none, a CI run fails and any other
 * says loudly what was not covered.
 */
export interface TestRedis {
  url: string
  /** Stops the server if it was started here, and removes its folder. */
  stop(): Promise<void>
}

export interface OwnRedis extends TestRedis {
  port: number
}

const run = promisify(execFile)

/** A Redis that tests may share: use a prefix of one's own, and leave other keys alone. */
export async function findRedis(notCovered = 'the Redis profile'): Promise<TestRedis | undefined> {
  const url = process.env['REDIS_URL']
  return url ? { url, stop: () => Promise.resolve() } : findOwnRedis(notCovered)
}

/** A Redis of one's own: it may be flushed, configured, frozen, and stopped and started again. */
export async function findOwnRedis(notCovered: string): Promise<OwnRedis | undefined> {
  if ((await findServer()) !== undefined) return startRedis()
  const message = `no redis-server was found and no Docker engine answers, so ${notCovered} was NOT covered: install it, or set REDIS_URL`
  if (process.env['CI'] === 'true') throw new Error(message)
  process.stderr.write(`\n!!! ${message} !!!\n\n`)
  return undefined
}

/**
 * Starts a Redis with an append-only file, on `port` or a free one, as a program or in a container:
 * whatever is there. Throws when neither is.
 */
export async function startRedis({ port }: { port?: number } = {}): Promise<OwnRedis> {
  const chosen = port ?? (await freePort())
  switch (await findServer()) {
    case 'program':
      return startProgram(chosen)
    case 'container':
      return startInContainer(chosen)
    case undefined:
      throw new Error('no redis-server was found, and no Docker engine answers')
  }
}

async function startInContainer(port: number): Promise<OwnRedis> {
  const { startRedisContainer } = await import('./containers.ts')
  const container = await startRedisContainer({ container: 6379, host: port })
  return {
    url: `redis://${container.getHost()}:${port}`,
    port,
    stop: async () => {
      await container.stop({ removeVolumes: true })
    },
  }
}

async function startProgram(chosen: number): Promise<OwnRedis> {
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

type Server = 'program' | 'container'

let looked: Promise<Server | undefined> | undefined

/** What a server can be started as, after installing it if that is possible. */
const findServer = (): Promise<Server | undefined> => (looked ??= lookForServer())

async function lookForServer(): Promise<Server | undefined> {
  const onPath = () => succeeds('redis-server', ['--version'])
  if (await onPath()) return 'program'
  // Loaded only where it is needed: it takes a second.
  const { whyNot, images } = await import('./containers.ts')
  if ((await whyNot([images.redis])) === undefined) return 'container'
  return (await installed(onPath)) ? 'program' : undefined
}

async function installed(onPath: () => Promise<boolean>): Promise<boolean> {
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
