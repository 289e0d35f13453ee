import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

/** A TCP proxy before Postgres that counts round trips: how often the server said that it was ready. */
export interface CountingProxy {
  url: string
  roundTrips(): number
  close(): Promise<void>
}

export async function startCountingProxy(databaseUrl: string): Promise<CountingProxy> {
  const target = new URL(databaseUrl)
  let count = 0
  const sockets = new Set<Socket>()
  const server = createServer((client) => {
    const upstream = connect(Number(target.port), target.hostname)
    const countIn = readyCounter(() => (count += 1))
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on('error', () => undefined)
      socket.on('close', () => {
        client.destroy()
        upstream.destroy()
      })
    }
    client.pipe(upstream)
    upstream.on('data', (chunk) => {
      countIn(chunk)
      client.write(chunk)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const url = new URL(databaseUrl)
  url.host = `127.0.0.1:${port}`
  return {
    url: url.href,
    roundTrips: () => count,
    close: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

const readyForQuery = 'Z'.charCodeAt(0)

/** Follows the messages of one connection (a type byte, then a length) whatever pieces they come in. */
function readyCounter(found: () => void): (chunk: Buffer) => void {
  let rest = Buffer.alloc(0)
  let skip = 0
  return (chunk) => {
    let data = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    for (;;) {
      const skipped = Math.min(skip, data.length)
      skip -= skipped
      data = data.subarray(skipped)
      if (data.length < 5) break
      if (data[0] === readyForQuery) found()
      skip = 1 + data.readUInt32BE(1)
    }
    rest = Buffer.from(data)
  }
}
