import { createPorts, type Database } from '@almanac/db'
import { problem, type Problem } from '@almanac/domain'
import { resolve } from 'node:path'
import { afterAll, expect } from 'vitest'
import { testDatabase } from '../../../../test/support/postgres.ts'
import { createApi, type Api } from '../create-api.ts'
import type { ApiLog, ApiOptions } from '../parts.ts'
import { startApi, type RunningApi } from '../start-api.ts'

export interface Sent {
  key?: string | undefined
  headers?: Record<string, string>
  query?: Record<string, string>
  /** Sent as JSON. */
  json?: unknown
  /** Sent as it is. */
  body?: string | Uint8Array | ReadableStream<Uint8Array>
}

export interface Received {
  status: number
  headers: Headers
  text: string
  json: unknown
}

export interface LogLine {
  level: string
  message: string
  [field: string]: unknown
}

/** The API on a real socket and a real database of its own. */
export interface TestApi {
  api: Api
  running: RunningApi
  url: string
  db: Database
  ports: ReturnType<typeof createPorts>
  superuser: Awaited<ReturnType<typeof testDatabase>>['superuser']
  lines: LogLine[]
  /** How often admission was woken. */
  woken: () => number
  /** `call('POST', '/v1/runs', …)`; fails when the answer says what no answer may. */
  call(method: string, path: string, sent?: Sent): Promise<Received>
  /** Like `call`, for an answer that must be this problem. */
  refused(method: string, path: string, sent: Sent, code: string): Promise<Problem>
}

export async function testApi(options: Partial<ApiOptions> = {}): Promise<TestApi> {
  const { db, superuser } = await testDatabase()
  const ports = createPorts(db)
  const lines: LogLine[] = []
  let wakes = 0
  const api = createApi({
    db,
    content: ports.content,
    log: collect(lines),
    wake: () => {
      wakes += 1
    },
    ...options,
  })
  const running = await startApi(api, { host: '127.0.0.1', port: 0 })
  afterAll(() => running.close())

  const call: TestApi['call'] = async (method, path, sent = {}) => {
    const response = await send(running.url, method, path, sent)
    const text = await response.text()
    assertNothingLeaks(text)
    expect(response.headers.get('request-id')).toMatch(/^req_/)
    const isJson = /json/.test(response.headers.get('content-type') ?? '') && text !== ''
    return {
      status: response.status,
      headers: response.headers,
      text,
      json: isJson ? JSON.parse(text) : null,
    }
  }
  return {
    ...{ api, running, url: running.url, db, ports, superuser, lines, call },
    woken: () => wakes,
    async refused(method, path, sent, code) {
      const { status, headers, json } = await call(method, path, sent)
      expect(headers.get('content-type')).toBe('application/problem+json')
      const found = problem.parse(json)
      expect(found).toMatchObject({ code, status })
      expect(found.requestId).toBe(headers.get('request-id'))
      return found
    },
  }
}

export function send(
  url: string,
  method: string,
  path: string,
  { key, headers = {}, query = {}, json, body }: Sent = {},
): Promise<Response> {
  const target = new URL(path, url)
  for (const [name, value] of Object.entries(query)) target.searchParams.set(name, value)
  const sent = json === undefined ? body : JSON.stringify(json)
  return fetch(target, {
    method,
    headers: {
      ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
      ...(json === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(sent === undefined ? {} : { body: sent, duplex: 'half' }),
  } as RequestInit)
}

const root = resolve(import.meta.dirname, '../../../..')

/** What no answer may hold: our paths, stacks, SQL, and values that were not there. */
export function assertNothingLeaks(text: string): void {
  for (const leak of [
    /\bundefined\b/,
    /\bNaN\b/,
    /\[object /,
    /^\s+at .*:\d+:\d+\)?$/m,
    /node_modules|\/src\/|\.ts:\d/,
    /\b(select|insert|update|delete)\b.+\b(from|into|set)\b .*\$\d/i,
    /violates|duplicate key value|relation "|invalid input syntax/,
  ])
    expect(text).not.toMatch(leak)
  expect(text).not.toContain(root)
}

const collect = (lines: LogLine[]): ApiLog => {
  const at = (level: string) => (fields: unknown, message?: string) => {
    lines.push({ ...(fields as object), level, message: message ?? '' })
  }
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
  } as unknown as ApiLog
}
