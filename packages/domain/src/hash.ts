import { createHash } from 'node:crypto'
import type { AuditEvent } from './audit.ts'
import { canonicalJson } from './canonical-json.ts'

/** SHA-256 of a text's UTF-8 bytes, or of bytes, in lower-case hex. */
export function sha256(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex')
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
