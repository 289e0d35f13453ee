import { createClient, type Client } from '@almanac/client'
import { spawn, type ChildProcess } from 'node:child_process'
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

const root = resolve(import.meta.dirname, '../..')
const main = join(root, 'apps/cli/src/main.ts')

/** The flags of Node that `npm start` gives: memory is part of what a user gets. */
export const startFlags = (): string[] => {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    scripts: { start: string }
  }
  return memoryFlags(scripts.start)
}

/** Those of the image, which is a server's. */
export const imageFlags = (): string[] =>
  memoryFlags(readFileSync(join(root, 'infra/docker/Dockerfile'), 'utf8').split('\nCMD')[1] ?? '')

const memoryFlags = (command: string): string[] => command.match(/--(?:max|min)-[a-z-]+=\d+/g) ?? []

/** Almanac in a process of its own, as a user runs it. */
export interface AlmanacProcess {
  child: ChildProcess
  pid: number
  dataDir: string
  url: string
  client: Client
  /** What it has written so far. */
  stdout(): string
  stderr(): string
  /** Ends it in order and waits. */
  stop(): Promise<number | null>
  /** Kills it with SIGKILL and waits until it is gone; its Postgres lives on. */
  kill(): Promise<void>
  /** The most memory that it ever used, in MB; NaN where the system does not say. */
  peakRssMb(): number
}

export interface AlmanacResult {
  code: number | null
  stdout: string
  stderr: string
}

/** The environment of a child: this one's, without Almanac's settings, plus `env`. */
const environment = (env: Record<string, string>): NodeJS.ProcessEnv => ({
  ...Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) => !/^(ALMANAC_|DATABASE_URL|REDIS_URL)/.test(name),
    ),
  ),
  ...env,
})

/** A new data folder that every user may enter: the embedded Postgres of root runs as another one. */
export function newDataDir(): string {
  const folder = mkdtempSync(join(tmpdir(), 'almanac-test-'))
  chmodSync(folder, 0o755)
  return folder
}

export const removeDataDir = (dataDir: string): void => {
  rmSync(dataDir, { recursive: true, force: true })
}

/** Runs one command to its end. */
export async function almanac(
  args: readonly string[],
  { env = {}, cwd }: { env?: Record<string, string>; cwd?: string } = {},
): Promise<AlmanacResult> {
  const child = spawn(process.execPath, [main, ...args], {
    env: environment(env),
    ...(cwd ? { cwd } : {}),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const texts = collect(child)
  const code = await ended(child)
  return { code, stdout: texts.stdout, stderr: texts.stderr }
}

/** Does work while a stage is paused, as operators pause it: what waits for it goes on afterwards, all at once. */
export async function whilePaused<T>(
  stage: string,
  { env = {}, args = [] }: { env?: Record<string, string>; args?: readonly string[] },
  work: () => Promise<T>,
): Promise<T> {
  const control = async (act: string) => {
    const { code, stderr } = await almanac(['stage', act, stage, ...args], { env })
    if (code !== 0) throw new Error(`almanac stage ${act} ${stage}: ${stderr}`)
  }
  await control('pause')
  const result = await work()
  await control('resume')
  return result
}

/** Starts `almanac up` and waits until its API answers. */
export async function startAlmanac(
  dataDir: string,
  {
    env = {},
    args = [],
    flags = startFlags(),
  }: { env?: Record<string, string>; args?: readonly string[]; flags?: readonly string[] } = {},
): Promise<AlmanacProcess> {
  const child = spawn(
    process.execPath,
    [...flags, main, 'up', '--data', dataDir, '--port', '0', ...args],
    {
      env: environment(env),
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  )
  const texts = collect(child)
  const url = await until(
    () => /answers at (http:\/\/\S+)/.exec(texts.stdout)?.[1],
    () => {
      if (child.exitCode !== null)
        throw new Error(`almanac up ended with ${child.exitCode}:\n${texts.stderr.slice(-2_000)}`)
    },
  )
  const credentials = await until(() => {
    const file = join(dataDir, 'credentials.json')
    if (!existsSync(file)) return undefined
    const found = JSON.parse(readFileSync(file, 'utf8')) as { url: string; key: string }
    return found.url === url ? found : undefined
  })
  const pid = child.pid ?? 0
  return {
    child,
    pid,
    dataDir,
    url,
    client: createClient({ url, key: credentials.key }),
    stdout: () => texts.stdout,
    stderr: () => texts.stderr,
    stop: async () => {
      child.kill('SIGTERM')
      return ended(child)
    },
    kill: async () => {
      child.kill('SIGKILL')
      await ended(child)
    },
    peakRssMb: () => {
      const status = existsSync(`/proc/${pid}/status`)
        ? readFileSync(`/proc/${pid}/status`, 'utf8')
        : ''
      return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? Number.NaN) / 1024
    },
  }
}

function collect(child: ChildProcess): { stdout: string; stderr: string } {
  const texts = { stdout: '', stderr: '' }
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (texts.stdout += text))
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (texts.stderr += text))
  return texts
}

const ended = (child: ChildProcess): Promise<number | null> =>
  child.exitCode !== null || child.signalCode !== null
    ? Promise.resolve(child.exitCode)
    : new Promise((done) =>
        child.once('close', (code) => {
          done(code)
        }),
      )

/** Waits until `find` finds something; `check` may throw when that can no longer happen. */
export async function until<T>(
  find: () => T | undefined | Promise<T | undefined>,
  check: () => void = () => undefined,
  timeoutMs = 60_000,
): Promise<T> {
  const deadline = Date.now() + timeoutMs
  for (;;) {
    const found = await find()
    if (found !== undefined) return found
    check()
    if (Date.now() > deadline) throw new Error(`nothing came within ${timeoutMs} ms`)
    await sleep(20)
  }
}
