import canonicalize from 'canonicalize'

/** A value that JSON can hold. */
export type Json = string | number | boolean | null | Json[] | { [key: string]: Json }

/**
 * Canonical JSON (RFC 8785): equal values give equal text, whatever the order of their keys.
 * Throws a TypeError for what JSON cannot hold.
 */
export function canonicalJson(value: unknown): string {
  const text = canonicalize(value)
  if (text === undefined) throw new TypeError('undefined has no canonical JSON')
  return text
}
