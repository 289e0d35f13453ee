import { authenticateKey, touchKey, type Caller, type Database } from '@almanac/db'
import { AlmanacError } from '@almanac/domain'
import { sha256 } from '@almanac/domain/hash'
import type { Request } from 'express'
import { LRUCache } from 'lru-cache'
import type { ApiLog } from './parts.ts'

const mostKeys = 10_000
const touchEveryMs = 60_000

export interface Authenticator {
  /** Who sent the request, by its key alone. Throws KEY_MISSING, KEY_INVALID, KEY_EXPIRED. */
  authenticate(request: Request): Promise<Caller>
  /** Forgets all keys at once, so that one that was revoked here ends here. */
  forget(): void
}

/**
 * Authenticates bearer keys. A key that is known is not looked up again for `cacheMs`: for so long
 * another process's revocation may go unnoticed. Its last use is noted once a minute.
 */
export function createAuthenticator(db: Database, log: ApiLog, cacheMs: number): Authenticator {
  // By the secret's hash: a memory dump of the process holds no key that nobody uses.
  const known = new LRUCache<string, Promise<Caller>>({ max: mostKeys, ttl: cacheMs })
  const touched = new LRUCache<string, true>({ max: mostKeys, ttl: touchEveryMs })

  const lookUp = (secret: string): Promise<Caller> => {
    const hash = sha256(secret)
    const found = known.get(hash)
    if (found) return found
    const caller = authenticateKey(db, secret)
    known.set(hash, caller)
    // Only who may enter is remembered.
    caller.catch(() => known.delete(hash))
    return caller
  }

  const touch = ({ tenantId, keyId }: Caller): void => {
    if (touched.has(keyId)) return
    touched.set(keyId, true)
    db.withTenant(tenantId, (trx) => touchKey(trx, tenantId, keyId)).catch((error: unknown) =>
      log.warn({ err: error, keyId }, 'the last use of a key was not noted'),
    )
  }

  return {
    async authenticate(request) {
      const [, secret] = /^Bearer +(\S+) *$/i.exec(request.get('authorization') ?? '') ?? []
      if (secret === undefined) throw new AlmanacError('KEY_MISSING', {})
      const caller = await lookUp(secret)
      touch(caller)
      return caller
    },
    forget: () => known.clear(),
  }
}
