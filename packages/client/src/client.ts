import {
  AlmanacError,
  errorOf,
  problem,
  problemMediaType,
  routes,
  type EventResource,
  type Operation,
  type Routes,
  type RunId,
} from '@almanac/domain'
import type { z } from 'zod'
import { readServerSentEvents } from './server-sent-events.ts'

export interface ClientOptions {
  /** Where Almanac answers, such as http://127.0.0.1:4242. */
  url: string
  /** An API key, `alm_…`. */
  key: string
  fetch?: typeof fetch
}

type In<S> = S extends z.ZodType ? z.input<S> : never
type Out<S> = S extends z.ZodType ? z.output<S> : never
/** A field that is left out when the route takes nothing there, and optional when all in it is. */
type Field<Name extends string, T> = [T] extends [Record<string, never>]
  ? object
  : object extends T
    ? Partial<Record<Name, T>>
    : Record<Name, T>

/** The client asks for JSON, which it parses: other forms of an answer are for people. */
type QueryOf<O extends Operation> = Routes[O]['gives'] extends 'negotiated' | 'csv'
  ? Omit<In<Routes[O]['query']>, 'format'>
  : In<Routes[O]['query']>

/** What one call takes: path parameters, query, body, and what HTTP adds. */
export type CallInput<O extends Operation> = Field<'params', In<Routes[O]['params']>> &
  Field<'query', QueryOf<O>> &
  (Routes[O]['takes'] extends 'ndjson'
    ? { body: string | ReadableStream<Uint8Array> | AsyncIterable<Uint8Array> }
    : Field<'body', In<Routes[O]['body']>>) & {
    idempotencyKey?: string
    /** The revision that a change starts from. */
    ifMatch?: number
    /** Seconds to wait for the run's end, at most 60. */
    wait?: number
    signal?: AbortSignal
  }

type Result<O extends Operation> = Routes[O]['gives'] extends 'bytes'
  ? { bytes: Uint8Array; mediaType: string; etag: string }
  : Out<Routes[O]['response']>

type Call<O extends Operation> =
  object extends CallInput<O>
    ? (input?: CallInput<O>) => Promise<Result<O>>
    : (input: CallInput<O>) => Promise<Result<O>>

/** One method an operation of the API, typed by the same schemas that the server parses with. */
export type Client = { [O in Operation]: Call<O> } & {
  /** The run's events from `after` on, until the run ends or the signal aborts. */
  runEvents(
    run: RunId,
    options?: { after?: number; signal?: AbortSignal },
  ): AsyncGenerator<EventResource>
}

interface AnyInput {
  params?: Record<string, unknown>
  query?: Record<string, unknown>
  body?: unknown
  idempotencyKey?: string
  ifMatch?: number
  wait?: number
  signal?: AbortSignal
}

/**
 * A client for the HTTP API. Calls answer parsed values; problems are thrown as the AlmanacError that
 * the server raised, a server that does not answer as SERVER_UNREACHABLE.
 */
export function createClient(options: ClientOptions): Client {
  const methods = Object.keys(routes).map((name) => {
    const operation = name as Operation
    return [operation, (input: AnyInput = {}) => call(options, operation, input)]
  })
  return { ...Object.fromEntries(methods), runEvents: runEvents.bind(null, options) } as Client
}

async function call(
  options: ClientOptions,
  operation: Operation,
  input: AnyInput,
): Promise<unknown> {
  const route = routes[operation]
  const response = await send(options, operation, input)
  if (route.gives === 'bytes')
    return {
      bytes: new Uint8Array(await response.arrayBuffer()),
      mediaType: response.headers.get('content-type') ?? '',
      etag: response.headers.get('etag') ?? '',
    }
  if (response.status === 204) return {}
  return route.response.parse(await response.json())
}

async function send(
  { url, key, fetch: request = fetch }: ClientOptions,
  operation: Operation,
  { params = {}, query = {}, body, idempotencyKey, ifMatch, wait, signal }: AnyInput,
  accept = 'application/json',
): Promise<Response> {
  const route = routes[operation]
  const path = route.path.replace(/:(\w+)/g, (_, name: string) =>
    encodeURIComponent(String(params[name])),
  )
  const target = new URL(path, url)
  for (const [name, value] of Object.entries(query))
    if (value !== undefined) target.searchParams.set(name, String(value))
  const headers: Record<string, string> = { authorization: `Bearer ${key}`, accept }
  if (idempotencyKey) headers['idempotency-key'] = idempotencyKey
  if (ifMatch !== undefined) headers['if-match'] = `"${ifMatch}"`
  if (wait !== undefined) headers.prefer = `wait=${wait}`
  if (body !== undefined)
    headers['content-type'] = route.takes === 'ndjson' ? 'application/x-ndjson' : 'application/json'
  const init = {
    method: route.method.toUpperCase(),
    headers,
    ...(body === undefined
      ? {}
      : { body: route.takes === 'ndjson' ? body : JSON.stringify(body), duplex: 'half' }),
    ...(signal ? { signal } : {}),
  } as RequestInit
  let response: Response
  try {
    response = await request(target, init)
  } catch (cause) {
    if (signal?.aborted) throw cause
    throw new AlmanacError('SERVER_UNREACHABLE', { where: target.origin }, { cause })
  }
  if (response.ok) return response
  throw await readProblem(response)
}

async function readProblem(response: Response): Promise<AlmanacError> {
  const type = response.headers.get('content-type') ?? ''
  const parsed = type.startsWith(problemMediaType)
    ? problem.safeParse(await response.json())
    : undefined
  if (parsed?.success) return errorOf(parsed.data)
  return new AlmanacError('INTERNAL', {}, { cause: `status ${response.status}` })
}

async function* runEvents(
  options: ClientOptions,
  run: RunId,
  { after = 0, signal }: { after?: number; signal?: AbortSignal } = {},
): AsyncGenerator<EventResource> {
  const input = { params: { id: run }, query: { after }, ...(signal ? { signal } : {}) }
  const response = await send(options, 'streamRunEvents', input, 'text/event-stream')
  if (!response.body) return
  for await (const { data } of readServerSentEvents(response.body))
    yield JSON.parse(data) as EventResource
}
