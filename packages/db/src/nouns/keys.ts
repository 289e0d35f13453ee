import {
  AlmanacError,
  keyScope,
  type KeyId,
  type KeyScope,
  type PrincipalId,
  type TenantId,
} from '@almanac/domain'
import { sha256 } from '@almanac/domain/hash'
import { newId } from '@almanac/domain/ids'
import { sql } from 'kysely'
import { randomBytes, timingSafeEqual } from 'node:crypto'
import { z } from 'zod'
import type { Database, Trx } from '../pool.ts'
import type { Keys } from '../schema.ts'
import { recordAct } from './acts.ts'
import { isoOrNull } from './instants.ts'
import { pageFrom, type Page, type PageQuery } from './pages.ts'
import type { Selectable } from 'kysely'

/** Who a request comes from: everything that authorisation needs. */
export interface Caller {
  tenantId: TenantId
  tenantName: string
  suspended: boolean
  principalId: PrincipalId
  keyId: KeyId
  scopes: KeyScope[]
}

export interface KeyView {
  id: KeyId
  name: string
  principalId: PrincipalId
  scopes: KeyScope[]
  createdAt: string
  expiresAt: string | null
  revokedAt: string | null
  lastUsedAt: string | null
}

const scopes = z.array(keyScope)
/** `alm_`, the key's own id without its prefix, and 256 random bits. */
const secretForm = /^alm_([0-7][0-9a-hjkmnp-tv-z]{25})_([A-Za-z0-9_-]{43})$/

/**
 * The caller of a secret, or KEY_INVALID, KEY_EXPIRED. The row is found by the id inside the secret;
 * the secret's hash is compared in constant time.
 */
export async function authenticateKey(db: Database, secret: string): Promise<Caller> {
  const [, suffix] = secretForm.exec(secret) ?? []
  if (!suffix) throw new AlmanacError('KEY_INVALID', {})
  const row = await db.withSystem('bootstrap', (trx) =>
    trx
      .selectFrom('keys')
      .innerJoin('tenants', 'tenants.id', 'keys.tenant_id')
      .where('keys.secret_hash', '=', sha256(secret))
      .where('keys.id', '=', `key_${suffix}`)
      .select([
        'keys.tenant_id',
        'keys.id',
        'keys.principal_id',
        'keys.secret_hash',
        'keys.scopes',
        'keys.expires_at',
        'keys.revoked_at',
        'tenants.name',
        'tenants.state',
      ])
      .executeTakeFirst(),
  )
  const matches = row && timingSafeEqual(Buffer.from(row.secret_hash), Buffer.from(sha256(secret)))
  if (!row || !matches || row.revoked_at) throw new AlmanacError('KEY_INVALID', {})
  if (row.expires_at && row.expires_at <= new Date())
    throw new AlmanacError('KEY_EXPIRED', { expiredAt: row.expires_at.toISOString() })
  return {
    tenantId: row.tenant_id,
    tenantName: row.name,
    suspended: row.state === 'suspended',
    principalId: row.principal_id,
    keyId: row.id,
    scopes: scopes.parse(row.scopes),
  }
}

/** Notes that the key was used; the caller does so at most once a minute and key. */
export async function touchKey(trx: Trx, tenantId: TenantId, id: KeyId): Promise<void> {
  await trx
    .updateTable('keys')
    .set({ last_used_at: sql`now()` })
    .where('tenant_id', '=', tenantId)
    .where('id', '=', id)
    .execute()
}

/** Creates a key for a principal; the secret is in the answer and nowhere else. */
export async function createKey(
  trx: Trx,
  tenantId: TenantId,
  actor: string,
  key: {
    principalId: PrincipalId
    name: string
    scopes: KeyScope[]
    expiresAt?: string | undefined
  },
): Promise<KeyView & { secret: string }> {
  const id = newId('key')
  const secret = `alm_${id.slice('key_'.length)}_${randomBytes(32).toString('base64url')}`
  const row = await trx
    .insertInto('keys')
    .values({
      tenant_id: tenantId,
      id,
      principal_id: key.principalId,
      name: key.name,
      secret_hash: sha256(secret),
      scopes: key.scopes,
      expires_at: key.expiresAt ?? null,
    })
    .returningAll()
    .executeTakeFirstOrThrow()
  await recordAct(trx, tenantId, {
    actor,
    action: 'key.created',
    subject: id,
    detail: { name: key.name, scopes: key.scopes },
  })
  return { ...view(row), secret }
}

/** The tenant that a key belongs to; for operators. */
export async function findKeyTenant(trx: Trx, id: KeyId): Promise<TenantId | undefined> {
  const row = await trx
    .selectFrom('keys')
    .select('tenant_id')
    .where('id', '=', id)
    .executeTakeFirst()
  return row?.tenant_id
}

export async function listKeys(
  trx: Trx,
  tenantId: TenantId,
  { limit, cursor }: PageQuery,
): Promise<Page<KeyView>> {
  let query = trx.selectFrom('keys').selectAll().where('tenant_id', '=', tenantId)
  if (cursor) query = query.where('id', '<', cursor as KeyId)
  const rows = await query
    .orderBy('id', 'desc')
    .limit(limit + 1)
    .execute()
  return pageFrom(rows, limit, view, ({ id }) => id)
}

/** Revokes a key at once; revoking it again changes nothing. Throws NOT_FOUND. */
export async function revokeKey(
  trx: Trx,
  tenantId: TenantId,
  actor: string,
  id: KeyId,
): Promise<KeyView> {
  const row = await trx
    .updateTable('keys')
    .set({ revoked_at: sql`coalesce(revoked_at, now())` })
    .where('tenant_id', '=', tenantId)
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirst()
  if (!row) throw new AlmanacError('NOT_FOUND', { what: `key ${id}` })
  await recordAct(trx, tenantId, { actor, action: 'key.revoked', subject: id })
  return view(row)
}

const view = (row: Selectable<Keys>): KeyView => ({
  id: row.id,
  name: row.name,
  principalId: row.principal_id,
  scopes: scopes.parse(row.scopes),
  createdAt: row.created_at.toISOString(),
  expiresAt: isoOrNull(row.expires_at),
  revokedAt: isoOrNull(row.revoked_at),
  lastUsedAt: isoOrNull(row.last_used_at),
})
