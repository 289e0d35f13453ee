import { createHmac, timingSafeEqual } from 'node:crypto'
import type { z } from 'zod'

/** What a token is for; one for one purpose is no token for another. */
export type TokenPurpose = 'checkpoint link' | 'checkpoint preview'

/** A value in a text that nobody can change: its JSON and an HMAC-SHA-256 of it, both in base64url. */
export function signToken(
  [key]: readonly Uint8Array[],
  purpose: TokenPurpose,
  value: unknown,
): string {
  if (!key) throw new Error('there is no key to sign with')
  const payload = Buffer.from(JSON.stringify(value)).toString('base64url')
  return `${payload}.${signatureOf(key, purpose, payload).toString('base64url')}`
}

/** The value of a token that was signed with one of the keys; undefined for every other text. */
export function readToken<T>(
  keys: readonly Uint8Array[],
  purpose: TokenPurpose,
  schema: z.ZodType<T>,
  token: string,
): T | undefined {
  const [, payload, encoded] = /^([\w-]+)\.([\w-]{43})$/.exec(token) ?? []
  if (payload === undefined || encoded === undefined) return undefined
  const signature = Buffer.from(encoded, 'base64url')
  // The last character has bits to spare; a token has one spelling.
  if (signature.toString('base64url') !== encoded) return undefined
  const isOurs = keys.some((key) => timingSafeEqual(signatureOf(key, purpose, payload), signature))
  if (!isOurs) return undefined
  return schema.parse(JSON.parse(Buffer.from(payload, 'base64url').toString()))
}

const signatureOf = (key: Uint8Array, purpose: TokenPurpose, payload: string): Buffer =>
  createHmac('sha256', key).update(`almanac ${purpose}\n${payload}`).digest()
