import { AlmanacError, isAlmanacError } from '@almanac/domain'

/** The error without the address of a server of ours: that is for those who run it. */
export function withoutAddress(error: AlmanacError): AlmanacError {
  const where = 'its address'
  for (const code of ['DATABASE_UNREACHABLE', 'QUEUE_UNREACHABLE'] as const)
    if (isAlmanacError(error, code)) return new AlmanacError(code, { ...error.params, where })
  return error
}
