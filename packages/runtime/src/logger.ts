import { isAlmanacError } from '@almanac/domain'
import { pino, type DestinationStream, type Logger as PinoLogger } from 'pino'
import type { Config } from './config/config.ts'
import { lineRedactor } from './redaction.ts'

export type Logger = PinoLogger

/** The two methods of a logger that most parts need. */
export type Log = Pick<Logger, 'info' | 'warn'>

/** Longer messages are cut: a message of another program may quote what it was given. */
const longestMessage = 300

/**
 * A logger that writes one JSON line an event, `{ level, time, pid, msg, … }`, without secrets, at
 * once: what was logged before a crash is there after it. Log ids, durations and codes; evidence
 * and documents never. A command that prints its result on stdout sends its log to `stderr`.
 */
export function createLogger(
  { logLevel, secrets }: Pick<Config, 'logLevel' | 'secrets'>,
  destination: 'stdout' | 'stderr' | DestinationStream = 'stdout',
): Logger {
  const fileDescriptor = { stdout: 1, stderr: 2 }
  const stream =
    typeof destination === 'string'
      ? pino.destination({ fd: fileDescriptor[destination], sync: true })
      : destination
  return pino(
    {
      level: logLevel,
      base: { pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: loggedError, error: loggedError, cause: loggedError },
      hooks: { streamWrite: lineRedactor(secrets) },
    },
    stream,
  )
}

interface LoggedError {
  type: string
  code?: string
  message: string
  stack?: string[]
  cause?: LoggedError | string
}

/**
 * What a log may hold of an error: no fields of its own besides the code, since those of a database
 * or parser error quote what was being stored or parsed.
 */
function loggedError(error: unknown, depth = 0): LoggedError | string {
  if (!(error instanceof Error)) return cut(String(error))
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined
  // The sentence of the error table says it all; where it was thrown is of no use to anybody.
  const stack = isAlmanacError(error) ? undefined : framesOf(error)
  return {
    type: error.name,
    ...(code === undefined ? {} : { code }),
    message: cut(error.message),
    ...(stack === undefined ? {} : { stack }),
    ...(error.cause === undefined || depth >= 3
      ? {}
      : { cause: loggedError(error.cause, depth + 1) }),
  }
}

const framesOf = ({ stack = '' }: Error): string[] =>
  stack
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line.startsWith('at '))

const cut = (text: string): string =>
  text.length > longestMessage ? `${text.slice(0, longestMessage - 1)}…` : text
