import { AlmanacError } from '@almanac/domain'
import { z } from 'zod'

/** What body-parser throws: a type of its own, and what the type is about. */
const bodyParserError = z.object({
  type: z.string(),
  message: z.string(),
  limit: z.number().optional(),
  charset: z.string().optional(),
  encoding: z.string().optional(),
})

/** The error of a body that could not be read, or undefined when `thrown` is something else. */
export function bodyErrorOf(thrown: unknown): AlmanacError | undefined {
  const options = { cause: thrown }
  if (isBrokenCompression(thrown))
    return new AlmanacError(
      'BODY_NOT_JSON',
      { reason: 'it is not compressed as its Content-Encoding says' },
      options,
    )
  const parsed = bodyParserError.safeParse(thrown)
  if (!parsed.success) return undefined
  const { type, message, limit = 0, charset = '', encoding = '' } = parsed.data
  switch (type) {
    case 'entity.too.large':
      return new AlmanacError('BODY_TOO_LARGE', { limitBytes: limit }, options)
    case 'entity.parse.failed':
      return new AlmanacError('BODY_NOT_JSON', { reason: reasonOf(message) }, options)
    case 'request.aborted':
    case 'request.size.invalid':
      return bodyBrokeOff(thrown)
    case 'charset.unsupported':
      return new AlmanacError(
        'MEDIA_TYPE_UNSUPPORTED',
        { found: `charset ${charset}`, allowed: 'application/json in UTF-8' },
        options,
      )
    case 'encoding.unsupported':
      return new AlmanacError(
        'MEDIA_TYPE_UNSUPPORTED',
        { found: `content encoding ${encoding}`, allowed: 'gzip, deflate, br, or none' },
        options,
      )
    default:
      return undefined
  }
}

export const bodyBrokeOff = (cause: unknown): AlmanacError =>
  new AlmanacError('BODY_NOT_JSON', { reason: 'it broke off' }, { cause })

/** The errors of zlib are named Z_…, those of brotli ERR_…. */
const isBrokenCompression = (thrown: unknown): boolean =>
  thrown instanceof Error &&
  'code' in thrown &&
  /^Z_|^ERR_(BROTLI|_ERROR)/.test(String(thrown.code))

/** The parser's words up to where it begins to quote the body. */
function reasonOf(message: string): string {
  const [words = ''] = message.split(/,? ?(?:\.\.\.)?"/)
  return words === '' ? 'it is another text' : words.charAt(0).toLowerCase() + words.slice(1)
}
