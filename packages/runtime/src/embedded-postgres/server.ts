import { spawn } from 'node:child_process'
import { open, readFile, rename } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { AlmanacError } from '@almanac/domain'
import { program, type Binaries } from './binaries.ts'
import { serverEnvironment, type Cluster } from './cluster.ts'
import { disownForeignProcess, findPostmaster } from './postmaster.ts'
import { reasonOf } from './reason.ts'

/** Given at every start, so that a database made by an older Almanac has them too. */
const serverSettings = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: '200',
  shared_buffers: '128MB',
  synchronous_commit: 'on',
  timezone: 'UTC',
  log_timezone: 'UTC',
  // The details and statements of errors hold rows, and rows hold evidence.
  log_error_verbosity: 'terse',
  log_min_error_statement: 'panic',
}

const portTries = 5
const pollMs = 20

/** How long what is left of a server that crashed may take to end. */
const remainsMs = 10_000

/**
 * Starts the server of a database and answers its port once it takes connections: `port` if that is
 * said, or else the port of last time, or else any free one. Throws PORT_TAKEN or FOLDER_UNUSABLE.
 */
export async function startServer(
  cluster: Cluster,
  binaries: Binaries,
  { dataDir, port }: { dataDir: string; port?: number | undefined },
): Promise<number> {
  await disownForeignProcess(cluster.data)
  const remainsGone = performance.now() + remainsMs
  let candidate = port ?? (await lastPort(cluster)) ?? (await freePort())
  for (let tries = 1; ;) {
    const complaint = await launch(cluster, binaries, candidate)
    if (complaint === undefined) return candidate
    if (/address already in use/i.test(complaint) && tries < portTries) {
      if (port !== undefined) throw new AlmanacError('PORT_TAKEN', { port })
      candidate = await freePort()
      tries += 1
    } else if (/shared memory/.test(complaint) && performance.now() < remainsGone) {
      await wait(pollMs)
    } else {
      const reason = reasonOf(complaint)
      throw new AlmanacError('FOLDER_UNUSABLE', { folder: dataDir, reason })
    }
  }
}

/** Where the server of the database listened last, if that is known. */
async function lastPort({ folder }: Cluster): Promise<number | undefined> {
  const port = Number(await readFile(join(folder, 'port'), 'utf8').catch(() => ''))
  return Number.isInteger(port) && port > 0 && port <= 65_535 ? port : undefined
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.on('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo
      server.close(() => resolve(port))
    })
  })
}

/** Resolves to undefined when the server is ready, or to what it said before it ended. */
async function launch(
  { folder, data, account }: Cluster,
  binaries: Binaries,
  port: number,
): Promise<string | undefined> {
  const logFile = join(folder, 'server.log')
  await rename(logFile, `${logFile}.previous`).catch(() => undefined)
  const log = await open(logFile, 'a', 0o600)
  const settings = Object.entries(serverSettings).flatMap(([name, value]) => [
    '-c',
    `${name}=${value}`,
  ])
  // Detached: in a session of its own it gets no Ctrl-C, and a killed Almanac leaves it whole.
  const child = spawn(program(binaries, 'postgres'), ['-D', data, '-p', `${port}`, ...settings], {
    ...account,
    cwd: '/',
    env: serverEnvironment,
    detached: true,
    stdio: ['ignore', log.fd, log.fd],
  })
  let ended: { error?: Error } | undefined
  child.once('error', (error) => (ended = { error }))
  child.once('exit', () => (ended ??= {}))
  try {
    while (ended === undefined) {
      const postmaster = await findPostmaster(data)
      if (postmaster?.pid === child.pid && postmaster?.doing === 'ready') {
        child.unref()
        return undefined
      }
      await wait(pollMs)
    }
  } finally {
    await log.close()
  }
  if (ended.error) throw ended.error
  return readFile(logFile, 'utf8')
}
