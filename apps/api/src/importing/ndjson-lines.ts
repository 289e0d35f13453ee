import { AlmanacError } from '@almanac/domain'

const lineFeed = 0x0a

export interface LineLimits {
  /** Bytes of all lines together. */
  importBytes: number
  /** Bytes of one line. */
  lineBytes: number
}

/** A line of a body with its number, from 1; `bytes` is null when it was longer than the limit. */
export interface NumberedLine {
  number: number
  bytes: Uint8Array | null
}

/**
 * Splits a body into its lines as it arrives, and holds no more than one of them. Blank lines are
 * counted and left out. Throws BODY_TOO_LARGE as soon as the whole is.
 */
export async function* ndjsonLines(
  body: AsyncIterable<Uint8Array>,
  { importBytes, lineBytes }: LineLimits,
): AsyncGenerator<NumberedLine> {
  let number = 0
  let total = 0
  let pieces: Uint8Array[] = []
  let length = 0

  const take = (piece: Uint8Array): void => {
    length += piece.length
    // A line that is too long is counted on, but no longer kept.
    if (length > lineBytes) pieces = []
    else if (piece.length > 0) pieces.push(piece)
  }
  const finish = (): NumberedLine | undefined => {
    number += 1
    const bytes = length > lineBytes ? null : joined(pieces)
    pieces = []
    length = 0
    return bytes !== null && isBlank(bytes) ? undefined : { number, bytes }
  }

  for await (const chunk of body) {
    total += chunk.length
    if (total > importBytes) throw new AlmanacError('BODY_TOO_LARGE', { limitBytes: importBytes })
    let from = 0
    for (let to = chunk.indexOf(lineFeed); to >= 0; to = chunk.indexOf(lineFeed, from)) {
      take(chunk.subarray(from, to))
      from = to + 1
      const line = finish()
      if (line) yield line
    }
    take(chunk.subarray(from))
  }
  const last = length > 0 ? finish() : undefined
  if (last) yield last
}

const joined = (pieces: readonly Uint8Array[]): Uint8Array =>
  pieces.length === 1 && pieces[0] ? pieces[0] : Buffer.concat(pieces)

/** Spaces, tabs and carriage returns only. */
const isBlank = (bytes: Uint8Array): boolean =>
  bytes.every((byte) => byte === 0x20 || byte === 0x09 || byte === 0x0d)
