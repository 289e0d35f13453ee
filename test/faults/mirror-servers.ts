import { spawn } from 'node:child_process'
import { copyFile, mkdtemp, rm } from 'node:fs/promises'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Redis } from 'ioredis'
import { onTestFinished } from 'vitest'

/** A Redis without append-only file, whose snapshot can be put back under it. */
export async function startServer() {
  const folder = await mkdtemp(join(tmpdir(), 'almanac-mirror-'))
  const port = await freePort()
  const [dump, kept] = [join(folder, 'dump.rdb'), join(folder, 'kept.rdb')]
  let stop = await startRedis(port, folder)
  onTestFinished(async () => {
    await stop()
    await rm(folder, { recursive: true, force: true })
  })
  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    stop: () => stop(),
    keepSnapshot: () => copyFile(dump, kept),
    restoreSnapshot: async () => {
      await stop()
      await copyFile(kept, dump)
      stop = await startRedis(port, folder)
    },
  }
}

async function startRedis(port: number, dir: string): Promise<() => Promise<void>> {
  const settings = { port, bind: '127.0.0.1', dir, save: '', appendonly: 'no' }
  const server = spawn(
    'redis-server',
    Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]),
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  const ended = new Promise<void>((resolve) => server.once('exit', () => resolve()))
  await new Promise<void>((resolve) => {
    server.stdout.on('data', (text: Buffer) => {
      if (text.toString().includes('Ready to accept connections')) resolve()
    })
  })
  return async () => {
    server.kill('SIGKILL')
    await ended
  }
}

/** A door that leads to one server and then to another, as the address of a fail-over does. */
export async function startDoor(target: number) {
  let port = target
  const open = new Set<Socket>()
  const server = createServer((client) => {
    const upstream = connect(port, '127.0.0.1')
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      open.add(from)
      from.on('error', () => to.destroy())
      from.on('close', () => {
        open.delete(from)
        to.destroy()
      })
      from.pipe(to)
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()))
  onTestFinished(() => {
    for (const socket of open) socket.destroy()
    server.close()
  })
  return {
    port: (server.address() as AddressInfo).port,
    lead: (to: number) => {
      port = to
      for (const socket of open) socket.destroy()
    },
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer()
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo
      server.close(() => resolve(port))
    })
  })
}

/** Until the server answers. */
export const ready = (client: Redis) =>
  until(() =>
    client.ping().then(
      () => true,
      () => false,
    ),
  )

export async function until(done: () => Promise<boolean>): Promise<void> {
  for (let n = 0; n < 2_000; n += 1) {
    if (await done()) return
    await sleep(5)
  }
  throw new Error('it did not come to pass')
}
