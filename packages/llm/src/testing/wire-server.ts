import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'

/** A request as the server got it. */
export interface Received {
  method: string
  path: string
  headers: IncomingMessage['headers']
  body: string
  /** Resolves when the client's end of the connection is gone. */
  closed: Promise<void>
}

export interface WireServer {
  baseUrl: string
  received: Received[]
  /** The connections that were ever opened. */
  sockets: ReadonlyMap<Socket, Promise<void>>
  /** How the next requests are answered; the last one answers all that follow. */
  answer(...answers: ((response: ServerResponse, request: Received) => unknown)[]): void
  close(): Promise<void>
}

/** Starts a bare HTTP server on a free port, for tests that write the provider's wire by hand. */
export async function startWireServer(): Promise<WireServer> {
  const received: Received[] = []
  const sockets = new Map<Socket, Promise<void>>()
  let answers: Parameters<WireServer['answer']> = []
  const server = createServer((request, response) => {
    const closed = sockets.get(request.socket) ?? Promise.resolve()
    void take(request, closed).then((one) => {
      received.push(one)
      const answer = answers.length > 1 ? answers.shift() : answers[0]
      return answer?.(response, one)
    })
  })
  server.on('connection', (socket) => {
    sockets.set(socket, new Promise((resolve) => socket.once('close', () => resolve())))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    baseUrl: `http://127.0.0.1:${port}/v1`,
    received,
    sockets,
    answer: (...given) => {
      answers = given
      received.length = 0
    },
    close: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

async function take(request: IncomingMessage, closed: Promise<void>): Promise<Received> {
  const parts: Buffer[] = []
  for await (const part of request) parts.push(part as Buffer)
  const { method = '', url: path = '', headers } = request
  return { method, path, headers, body: Buffer.concat(parts).toString('utf8'), closed }
}

/** Server-sent events of the given data, as one text. */
export const events = (...data: unknown[]): string =>
  data
    .map((one) => {
      const name = typeof one === 'object' && one && 'type' in one ? `event: ${one.type}\n` : ''
      return `${name}data: ${typeof one === 'string' ? one : JSON.stringify(one)}\n\n`
    })
    .join('')

/** Answers 200 with server-sent events. */
export function stream(response: ServerResponse, text: string): void {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'x-request-id': 'req_1' })
  response.end(text)
}

/** Answers with JSON and a status. */
export function reply(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, {
    'content-type': 'application/json',
    'x-request-id': 'req_1',
    ...headers,
  })
  response.end(JSON.stringify(body))
}
