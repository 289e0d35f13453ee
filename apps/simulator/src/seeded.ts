import { createHash } from 'node:crypto'

/** A stream of numbers that is the same wherever and whenever it is drawn. */
export interface SeededNumbers {
  /** The next number, in [0, 1). */
  next: () => number
  /** The next integer, in [from, to]. */
  integer: (from: number, to: number) => number
  /** One of `list`, which must not be empty. */
  pick: <T>(list: readonly T[]) => T
}

/** Creates the stream of numbers that `parts` alone decide (sfc32, seeded by SHA-256). */
export function seededNumbers(...parts: readonly string[]): SeededNumbers {
  const digest = createHash('sha256').update(parts.join('\u0000')).digest()
  let a = digest.readInt32LE(0)
  let b = digest.readInt32LE(4)
  let c = digest.readInt32LE(8)
  let count = digest.readInt32LE(12)

  const next = (): number => {
    const sum = (((a + b) | 0) + count) | 0
    count = (count + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (((c << 21) | (c >>> 11)) + sum) | 0
    return (sum >>> 0) / 2 ** 32
  }
  const integer = (from: number, to: number) => from + Math.floor(next() * (to - from + 1))
  const pick = <T>(list: readonly T[]): T => {
    for (const value of list.slice(integer(0, list.length - 1))) return value
    throw new RangeError('nothing can be picked from an empty list')
  }
  return { next, integer, pick }
}

/** `length` hexadecimal characters (at most 64) that `parts` alone decide: for ids on the wire. */
export function seededHex(length: number, ...parts: readonly string[]): string {
  return createHash('sha256').update(parts.join('\u0000')).digest('hex').slice(0, length)
}
