import { execFile } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { promisify } from 'node:util'
import { AlmanacError } from '@almanac/domain'

/**
 * The main process of a Postgres server, found through the `postmaster.pid` that it keeps in its data
 * directory: its process id, directory, start, port, socket folder, address, shared memory and, in
 * the eighth line, what it is doing. A crash leaves the file behind, and its process id may have
 * been given to any other program since; so a process counts only if its command line says
 * that it is a Postgres of this directory.
 */
export interface Postmaster {
  pid: number
  port: number
  doing: 'starting' | 'ready' | 'stopping'
}

const pollMs = 20

/** A postmaster waits five seconds itself before it kills what does not quit. */
const quitMs = 15_000

const pidFile = (data: string) => join(data, 'postmaster.pid')

/** The living postmaster of a data directory, or undefined. */
export async function findPostmaster(data: string): Promise<Postmaster | undefined> {
  const text = await readFile(pidFile(data), 'utf8').catch(() => '')
  const lines = text.split('\n').map((line) => line.trim())
  const pid = Number(lines[0])
  if (!Number.isInteger(pid) || pid <= 1 || !(await servesDirectory(pid, data))) return undefined
  const state = lines[7]
  return {
    pid,
    port: Number(lines[3] ?? 0),
    doing: state === 'ready' || state === 'stopping' ? state : 'starting',
  }
}

/**
 * The postmaster once it takes connections; undefined when there is none, or none any more. Throws
 * DATABASE_UNREACHABLE when it has not made up its mind after `limitMs`.
 */
export async function settledPostmaster(
  data: string,
  limitMs: number,
): Promise<Postmaster | undefined> {
  const deadline = performance.now() + limitMs
  for (;;) {
    const postmaster = await findPostmaster(data)
    if (postmaster === undefined || postmaster.doing === 'ready') return postmaster
    if (performance.now() > deadline) {
      throw new AlmanacError('DATABASE_UNREACHABLE', {
        where: `127.0.0.1:${postmaster.port}`,
        reason: `it has been ${postmaster.doing} for ${Math.round(limitMs / 1000)} s`,
      })
    }
    await wait(pollMs)
  }
}

/**
 * Makes a `postmaster.pid` that names an unrelated living process harmless. Postgres refuses to start
 * over it, and deleting it would also delete the key of the shared memory by which Postgres finds
 * out that backends of a crashed server still run; so only the process id is replaced, by one that
 * no system gives out.
 */
export async function disownForeignProcess(data: string): Promise<void> {
  const text = await readFile(pidFile(data), 'utf8').catch(() => undefined)
  if (text === undefined || (await findPostmaster(data)) !== undefined) return
  const [pid, ...rest] = text.split('\n')
  if (!isAlive(Number(pid))) return
  await writeFile(pidFile(data), ['999999999', ...rest].join('\n'))
}

/**
 * Stops the postmaster of a data directory, if one lives, and resolves when it is gone. Clients are
 * disconnected and everything is written; when that takes longer than `limitMs`, it stops without,
 * and recovers at its next start. Throws DATABASE_UNREACHABLE when it does not even do that.
 */
export async function stopPostmaster(data: string, limitMs: number): Promise<void> {
  if (await signalUntilGone(data, 'SIGINT', limitMs)) return
  if (await signalUntilGone(data, 'SIGQUIT', quitMs)) return
  const port = (await findPostmaster(data))?.port
  throw new AlmanacError('DATABASE_UNREACHABLE', {
    where: `127.0.0.1:${port}`,
    reason: 'it does not react to being stopped',
  })
}

async function signalUntilGone(
  data: string,
  signal: NodeJS.Signals,
  limitMs: number,
): Promise<boolean> {
  const postmaster = await findPostmaster(data)
  if (postmaster === undefined) return true
  const deadline = performance.now() + limitMs
  sendSignal(postmaster.pid, signal)
  while (performance.now() < deadline) {
    if (!(await servesDirectory(postmaster.pid, data))) return true
    await wait(pollMs)
  }
  return false
}

const isAlive = (pid: number): boolean =>
  Number.isInteger(pid) && pid > 0 && sendSignal(pid, 0) !== 'ESRCH'

/** The system's error code, or undefined when the signal was sent. */
function sendSignal(pid: number, signal: NodeJS.Signals | 0): unknown {
  try {
    process.kill(pid, signal)
    return undefined
  } catch (error) {
    return error instanceof Error && 'code' in error ? error.code : error
  }
}

/** Whether the process is a Postgres that was started with `-D data`; false for a dead one. */
async function servesDirectory(pid: number, data: string): Promise<boolean> {
  if (!isAlive(pid)) return false
  const command = await commandLine(pid)
  return /\bpostgres\b/.test(command) && command.includes(`\0-D\0${data}\0`)
}

/** The command line with NUL around each argument; empty for a process that is gone or a zombie. */
async function commandLine(pid: number): Promise<string> {
  if (process.platform === 'linux') {
    return `\0${await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')}`
  }
  const ps = promisify(execFile)('ps', ['-ww', '-o', 'command=', '-p', String(pid)])
  const { stdout } = await ps.catch(() => ({ stdout: '' }))
  return stdout.trim().replace(/^(.*?) -D (.*?) -c .*$/s, '\0$1\0-D\0$2\0')
}
