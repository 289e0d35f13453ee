import { AlmanacError, isAlmanacError } from '@almanac/domain'
import { DatabaseError } from 'pg'

/** SQLSTATE of an error that the server sent, or Node's code of one that the network gave. */
export function failureCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}

/** Both transactions were sound, one had to give way: the same call again can succeed. */
export const gaveWay = (error: unknown): boolean =>
  ['40001', '40P01'].includes(failureCode(error) ?? '')

const lost: Record<string, string> = {
  ECONNREFUSED: 'the connection was refused',
  ECONNRESET: 'the connection was lost',
  EPIPE: 'the connection was lost',
  ETIMEDOUT: 'it did not answer in time',
  EHOSTUNREACH: 'there is no way to that host',
  ENETUNREACH: 'there is no way to that network',
  ENOTFOUND: 'that host name is not known',
  EAI_AGAIN: 'the host name could not be looked up',
  ENOENT: 'there is no such socket',
  '57P01': 'it is shutting down',
  '57P02': 'it has crashed',
  '57P03': 'it is starting up or shutting down',
  '53300': 'it has no connection left',
  '28P01': 'the password is wrong',
  '28000': 'it does not let this login in',
  '3D000': 'there is no such database',
}

/**
 * The error that people should see: DATABASE_UNREACHABLE, DATABASE_NOT_MIGRATED or
 * DATABASE_UNSUITABLE when the connection is at fault (`where` is `host:port`, never the whole URL),
 * else the error itself.
 */
export function databaseFailure(error: unknown, where: string): unknown {
  if (isAlmanacError(error)) return error
  const code = failureCode(error) ?? ''
  const options = { cause: error }
  const reason = lost[code] ?? connectionLoss(error)
  if (reason) return new AlmanacError('DATABASE_UNREACHABLE', { where, reason }, options)
  if (/role "almanac_\w+" does not exist/.test(messageOf(error)))
    return new AlmanacError('DATABASE_NOT_MIGRATED', { missing: 1 }, options)
  if (/permission denied to set role/.test(messageOf(error)))
    return new AlmanacError(
      'DATABASE_UNSUITABLE',
      { reason: 'the login is not a member of the role that Almanac needs' },
      options,
    )
  return error
}

/** node-postgres reports a lost connection as a plain Error: only its words tell. */
function connectionLoss(error: unknown): string | undefined {
  if (error instanceof AggregateError) return lost[failureCode(error.errors[0]) ?? '']
  if (error instanceof DatabaseError || !(error instanceof Error)) return undefined
  if (/timeout exceeded when trying to connect|timeout expired/.test(error.message))
    return 'it did not answer in time'
  if (/Connection terminated|connection error and is not queryable/.test(error.message))
    return 'the connection was lost'
  return undefined
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : '')
