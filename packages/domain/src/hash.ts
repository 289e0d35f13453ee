import { createHash } from 'node:crypto'
import type { AuditEvent } from './audit.ts'
import { canonicalJson } from './canonical-json.ts'
import { AlmanacError } from './errors.ts'

/** SHA-256 of a text's UTF-8 bytes, or of bytes, in lower-case hex. */
export function sha256(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex')
}

/** A text and the SHA-256 of its UTF-8 bytes. */
export interface HashedText {
  hash: string
  text: string
}

/** A text with the hash under which it is stored. Throws INPUT_INVALID for half characters. */
export function hashed(text: string): HashedText {
  // UTF-8 cannot hold a lone surrogate: what came back would be another text.
  if (!text.isWellFormed())
    throw new AlmanacError('INPUT_INVALID', {
      issues: [{ field: 'content', message: 'must not hold halves of characters' }],
    })
  return { hash: sha256(text), text }
}

/** SHA-256 of a value's canonical JSON. */
export function hashOf(value: unknown): string {
  return sha256(canonicalJson(value))
}

/** What a link of an audit chain is made of; `previousHash` of a tenant's first link is the empty text. */
export interface ChainLink {
  seq: number
  previousHash: string
  event: AuditEvent
}

/** The hash of a link: SHA-256 of the canonical JSON of { seq, previousHash, event }. */
export const chainHash = ({ seq, previousHash, event }: ChainLink): string =>
  hashOf({ seq, previousHash, event })
