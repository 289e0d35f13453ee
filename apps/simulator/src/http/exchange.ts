import type { IncomingMessage, ServerResponse } from 'node:http'
import type { LogEntry } from '../request-log.ts'
import { apiErrors, type ApiError } from '../wire/api-error.ts'

/** One request and the way to answer it. */
export interface Exchange {
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams
  readonly requestId: string
  readonly contentType: string | undefined
  /** The bearer key, or null without one. */
  readonly apiKey: string | null
  /** Aborted when the client leaves before the answer is whole. */
  readonly gone: AbortSignal
  /** Null for requests to the simulator itself, which are not recorded. */
  entry: LogEntry | null
  /** Headers that go with the answer, whatever it is. */
  readonly headers: Record<string, string>
  /** Reads the body. Throws ApiError (413, 415), or the stream's error when the client leaves. */
  body: () => Promise<Buffer>
  /** Answers with `body` as it is. */
  send: (status: number, contentType: string, body: string | Buffer) => void
  sendJson: (status: number, body: unknown) => void
  /** Answers an error; one that comes too late for that breaks the connection. */
  sendError: (error: ApiError) => void
  /** Begins an answer that `write` goes on with, and `end` finishes. */
  begin: (status: number, contentType: string) => void
  /** Sends a part and waits until the system has taken it; false when the client has left. */
  write: (part: string | Buffer) => Promise<boolean>
  end: () => void
  /** Breaks the connection with a TCP reset. */
  reset: () => void
  /** How the exchange ended: settled when the client has left, or the answer is sent. */
  closed: Promise<'answered' | 'client_gone' | 'reset'>
}

/** Larger bodies are refused. */
export const maxRequestBytes = 64 * 1024 * 1024

/** Wraps a request of node:http. */
export function createExchange(
  request: IncomingMessage,
  response: ServerResponse,
  requestId: string,
): Exchange {
  const [path = '/', query = ''] = (request.url ?? '/').split('?', 2)
  const abort = new AbortController()
  let wasReset = false
  const closed = new Promise<'answered' | 'client_gone' | 'reset'>((resolve) => {
    response.on('close', () => {
      if (!response.writableFinished) abort.abort()
      resolve(wasReset ? 'reset' : response.writableFinished ? 'answered' : 'client_gone')
    })
  })
  const headers: Record<string, string> = {
    'x-request-id': requestId,
    'openai-organization': 'org-simulated',
    'openai-version': '2020-10-01',
  }

  const mark = (status: number) => {
    if (exchange.entry) exchange.entry.status = status
  }
  const exchange: Exchange = {
    method: request.method ?? 'GET',
    path,
    query: new URLSearchParams(query),
    requestId,
    contentType: request.headers['content-type'],
    apiKey: /^Bearer\s+(\S+)\s*$/i.exec(request.headers.authorization ?? '')?.[1] ?? null,
    gone: abort.signal,
    entry: null,
    headers,
    body: () => readBody(request),
    send(status, contentType, body) {
      if (response.headersSent || response.destroyed) return
      mark(status)
      const bytes = typeof body === 'string' ? Buffer.from(body) : body
      response.writeHead(status, {
        ...headers,
        'content-type': contentType,
        'content-length': bytes.length,
      })
      response.end(bytes)
    },
    sendJson(status, body) {
      exchange.send(status, 'application/json', JSON.stringify(body))
    },
    sendError(error) {
      if (response.headersSent) return exchange.reset()
      Object.assign(headers, error.headers)
      exchange.sendJson(error.status, { error: error.error })
    },
    begin(status, contentType) {
      if (response.destroyed) return
      mark(status)
      response.writeHead(status, { ...headers, 'content-type': contentType })
      response.flushHeaders()
    },
    write: (part) =>
      new Promise((resolve) => {
        if (abort.signal.aborted || response.destroyed) return resolve(false)
        const leave = () => resolve(false)
        abort.signal.addEventListener('abort', leave, { once: true })
        response.write(part, (error) => {
          abort.signal.removeEventListener('abort', leave)
          resolve(!error)
        })
      }),
    end() {
      if (!response.destroyed) response.end()
    },
    reset() {
      wasReset = true
      request.socket.resetAndDestroy()
    },
    closed,
  }
  return exchange
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = []
  let bytes = 0
  for await (const part of request) {
    const chunk: Buffer = Buffer.isBuffer(part) ? part : Buffer.from(String(part))
    bytes += chunk.length
    // The rest is read all the same: to stop here would break the connection before the answer.
    if (bytes <= maxRequestBytes) parts.push(chunk)
  }
  if (bytes > maxRequestBytes) throw apiErrors.bodyTooLarge(maxRequestBytes)
  return parts.length === 1 && parts[0] ? parts[0] : Buffer.concat(parts)
}

/** The body as JSON. Throws ApiError for one that is not, or is said not to be. */
export function jsonOf(body: Buffer, contentType: string | undefined): unknown {
  if (!/^application\/([\w.-]+\+)?json\b/i.test(contentType ?? 'application/json'))
    throw apiErrors.contentTypeUnsupported(contentType ?? '')
  try {
    return JSON.parse(body.toString('utf8'))
  } catch {
    throw apiErrors.bodyNotJson()
  }
}
