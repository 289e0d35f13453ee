import {
  authenticateKey,
  authenticateOperator,
  isOperatorSecret,
  touchKey,
  touchOperatorKey,
  type Caller,
  type Database,
  type OperatorCaller,
} from '@almanac/db'
import { AlmanacError } from '@almanac/domain'
import { sha256 } from '@almanac/domain/hash'
import type { Request } from 'express'
import { LRUCache } from 'lru-cache'
import type { ApiLog } from './parts.ts'

const mostKeys = 10_000
const touchEveryMs = 60_000

export interface Authenticator {
  /**
   * The tenant's principal that sent the request, by its key alone.
   * Throws KEY_MISSING, KEY_INVALID, KEY_EXPIRED, and KEY_NOT_TENANT for an operator's key.
   */
  authenticate(request: Request): Promise<Caller>
  /** The operator that sent the request. Throws the same, and KEY_NOT_OPERATOR for a tenant's key. */
  authenticateOperator(request: Request): Promise<OperatorCaller>
  /** Forgets all keys at once, so that one that was revoked here ends here. */
  forget(): void
}

/**
 * Authenticates bearer keys. A key that is known is not looked up again for `cacheMs`: for so long
 * another process's revocation may go unnoticed. Its last use is noted once a minute.
 */
export function createAuthenticator(db: Database, log: ApiLog, cacheMs: number): Authenticator {
  const touched = new LRUCache<string, true>({ max: mostKeys, ttl: touchEveryMs })
  const touch = (keyId: string, note: () => Promise<void>): void => {
    if (touched.has(keyId)) return
    touched.set(keyId, true)
    note().catch((error: unknown) => {
      log.warn({ err: error, keyId }, 'the last use of a key was not noted')
    })
  }
  const tenants = createMemory(cacheMs, (secret) => authenticateKey(db, secret))
  const operators = createMemory(cacheMs, (secret) => authenticateOperator(db, secret))

  const tenantOf = async (secret: string): Promise<Caller> => {
    const caller = await tenants.lookUp(secret)
    const { tenantId, keyId } = caller
    touch(keyId, () => db.withTenant(tenantId, (trx) => touchKey(trx, tenantId, keyId)))
    return caller
  }
  const operatorOf = async (secret: string): Promise<OperatorCaller> => {
    const caller = await operators.lookUp(secret)
    touch(caller.keyId, () => touchOperatorKey(db, caller.keyId))
    return caller
  }

  return {
    async authenticate(request) {
      const secret = secretOf(request)
      if (!isOperatorSecret(secret)) return tenantOf(secret)
      await operatorOf(secret)
      throw new AlmanacError('KEY_NOT_TENANT', {})
    },
    async authenticateOperator(request) {
      const secret = secretOf(request)
      if (isOperatorSecret(secret)) return operatorOf(secret)
      await tenantOf(secret)
      throw new AlmanacError('KEY_NOT_OPERATOR', {})
    },
    forget: () => {
      tenants.forget()
      operators.forget()
    },
  }
}

function secretOf(request: Request): string {
  const [, secret] = /^Bearer +(\S+) *$/i.exec(request.get('authorization') ?? '') ?? []
  if (secret === undefined) throw new AlmanacError('KEY_MISSING', {})
  return secret
}

/** Remembers for a while who sends a secret. */
function createMemory<C extends object>(ttl: number, find: (secret: string) => Promise<C>) {
  // By the secret's hash: a memory dump of the process holds no key that nobody uses.
  const known = new LRUCache<string, Promise<C>>({ max: mostKeys, ttl })
  return {
    lookUp(secret: string): Promise<C> {
      const hash = sha256(secret)
      const found = known.get(hash)
      if (found) return found
      const caller = find(secret)
      known.set(hash, caller)
      // Only who may enter is remembered.
      caller.catch(() => known.delete(hash))
      return caller
    },
    forget: () => known.clear(),
  }
}
