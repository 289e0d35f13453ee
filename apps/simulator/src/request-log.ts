import { createHash } from 'node:crypto'
import { createWriteStream, type WriteStream } from 'node:fs'
import type { ReplyEnd, Usage } from './composing/reply.ts'
import type { Fault } from './faults/fault.ts'
import { apiErrors } from './wire/api-error.ts'

/**
 * One request under /v1, from its arrival to its end. Entries are never dropped: a log that is full
 * makes the simulator refuse, which is recorded nowhere but answered as what it is.
 */
export interface LogEntry {
  /** 1, 2, … in the order of arrival. */
  seq: number
  requestId: string
  /** Instants, ISO 8601. */
  arrivedAt: string
  endedAt: string | null
  method: string
  path: string
  /** The last four characters of the bearer key. */
  apiKey: string | null
  bodyBytes: number
  /** SHA-256 of the body as it came. */
  bodyHash: string
  /** Whether the log still holds the body; see `maxBodyBytes`. */
  bodyKept: boolean
  model: string | null
  stream: boolean
  /** The `store` of the request, the provider's default (true) where it says none. */
  store: boolean | null
  serviceTier: string | null
  metadata: Record<string, string>
  /** `callKey` or `call_key` of the metadata. */
  callKey: string | null
  fault: Fault | null
  /** The HTTP status; null while nothing was sent. */
  status: number | null
  /** `client_gone`: the client left before the end. `reset`: the simulator broke the connection. */
  outcome: 'in_progress' | 'answered' | 'client_gone' | 'reset'
  /** How the generated answer ended; null for errors and for requests that generate nothing. */
  ended: ReplyEnd | null
  grounded: boolean
  /** What the provider charges: what was generated until the end; null for what is free. */
  billed: Usage | null
  /** The usage that the answer told; null where it told none. */
  told: Usage | null
}

/** Billed requests and tokens. */
export interface Totals {
  requests: number
  billedRequests: number
  inputTokens: number
  cachedTokens: number
  outputTokens: number
}

export interface RequestLog {
  /** Records an arrival. Throws ApiError (503) when the log is full or its file cannot be written. */
  open: (arrival: Pick<LogEntry, 'requestId' | 'method' | 'path' | 'apiKey'>) => LogEntry
  /** Records the body of an open request. */
  receive: (entry: LogEntry, body: Buffer) => void
  /** Records the end of a request. */
  close: (entry: LogEntry, outcome: Exclude<LogEntry['outcome'], 'in_progress'>) => void
  /** All entries, oldest first. */
  entries: () => readonly LogEntry[]
  /** The body of a request; undefined when it came without or is no longer kept. */
  bodyOf: (entry: LogEntry) => Buffer | undefined
  /** Forgets the requests that have ended; returns how many. */
  clear: () => number
  /** Resolves as soon as no request is in progress. */
  idle: () => Promise<void>
  /** All that was billed, by `model service_tier`. */
  totals: () => Record<string, Totals>
  /**
   * Requests that were billed more than once, by what makes two requests one: their bodies, if no
   * `keyOf` says otherwise. Entries without key are left out.
   */
  paidTwice: (keyOf?: (entry: LogEntry) => string | null) => LogEntry[][]
  /** Writes what is still to be written to the file, and closes it. */
  end: () => Promise<void>
}

export interface LogOptions {
  maxEntries: number
  /** Bodies are kept up to so many bytes together; of older requests only the hash stays. */
  maxBodyBytes: number
  /** NDJSON: a line `arrived` with the body, a line `ended` with the outcome. */
  file?: string | undefined
  now: () => number
}

const noBody = Buffer.alloc(0)

/** Creates the log of a simulator. */
export function createRequestLog({ maxEntries, maxBodyBytes, file, now }: LogOptions): RequestLog {
  let entries: LogEntry[] = []
  const bodies = new Map<LogEntry, Buffer>()
  let [bodyBytes, count, open] = [0, 0, 0]
  let waiting: (() => void)[] = []
  let broken: string | undefined
  const stream = file === undefined ? undefined : openFile(file, (reason) => (broken = reason))

  const instant = () => new Date(now()).toISOString()
  const drop = (entry: LogEntry) => {
    bodyBytes -= bodies.get(entry)?.length ?? 0
    entry.bodyKept = false
    bodies.delete(entry)
  }

  return {
    open(arrival) {
      if (broken !== undefined) throw apiErrors.logUnwritable(broken)
      if (entries.length >= maxEntries) throw apiErrors.logFull(maxEntries)
      count += 1
      open += 1
      const entry: LogEntry = {
        seq: count,
        ...arrival,
        arrivedAt: instant(),
        endedAt: null,
        bodyBytes: 0,
        bodyHash: hashOf(noBody),
        bodyKept: false,
        model: null,
        stream: false,
        store: null,
        serviceTier: null,
        metadata: {},
        callKey: null,
        fault: null,
        status: null,
        outcome: 'in_progress',
        ended: null,
        grounded: false,
        billed: null,
        told: null,
      }
      entries.push(entry)
      return entry
    },
    receive(entry, body) {
      entry.bodyBytes = body.length
      entry.bodyHash = hashOf(body)
      bodies.set(entry, body)
      entry.bodyKept = true
      bodyBytes += body.length
      for (const [oldest] of bodies) {
        if (bodyBytes <= maxBodyBytes) break
        drop(oldest)
      }
      stream?.write(line({ event: 'arrived', ...entry, body: body.toString('utf8') }))
    },
    close(entry, outcome) {
      entry.outcome = outcome
      entry.endedAt = instant()
      open -= 1
      stream?.write(line({ event: 'ended', ...entry }))
      if (open > 0) return
      for (const resolve of waiting) resolve()
      waiting = []
    },
    entries: () => entries,
    bodyOf: (entry) => bodies.get(entry),
    clear() {
      const ended = entries.filter(({ endedAt }) => endedAt !== null)
      for (const entry of ended) drop(entry)
      entries = entries.filter(({ endedAt }) => endedAt === null)
      return ended.length
    },
    idle: () => (open === 0 ? Promise.resolve() : new Promise((resolve) => waiting.push(resolve))),
    totals: () => totalsOf(entries),
    paidTwice(keyOf = ({ bodyHash }) => bodyHash) {
      const paid = entries.filter((entry) => entry.billed && keyOf(entry) !== null)
      return [...Map.groupBy(paid, keyOf).values()].filter((group) => group.length > 1)
    },
    end: () =>
      new Promise((resolve) => (stream && !broken ? stream.end(() => resolve()) : resolve())),
  }
}

function openFile(file: string, fail: (reason: string) => void): WriteStream {
  const stream = createWriteStream(file, { flags: 'a' })
  stream.on('error', (error) => fail(error.message))
  return stream
}

const line = (value: object) => `${JSON.stringify(value)}\n`
const hashOf = (body: Buffer) => createHash('sha256').update(body).digest('hex')

function totalsOf(entries: readonly LogEntry[]): Record<string, Totals> {
  const totals: Record<string, Totals> = {}
  for (const { model, serviceTier, billed } of entries) {
    const key = `${model ?? 'none'} ${serviceTier ?? 'default'}`
    const total = (totals[key] ??= {
      requests: 0,
      billedRequests: 0,
      inputTokens: 0,
      cachedTokens: 0,
      outputTokens: 0,
    })
    total.requests += 1
    if (!billed) continue
    total.billedRequests += 1
    total.inputTokens += billed.inputTokens
    total.cachedTokens += billed.cachedTokens
    total.outputTokens += billed.outputTokens
  }
  return totals
}
