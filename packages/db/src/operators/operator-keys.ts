import {
  AlmanacError,
  operatorScope,
  type KeyId,
  type OperatorId,
  type OperatorScope,
} from '@almanac/domain'
import { sha256 } from '@almanac/domain/hash'
import { newId } from '@almanac/domain/ids'
import { sql, type Selectable } from 'kysely'
import { randomBytes, timingSafeEqual } from 'node:crypto'
import { z } from 'zod'
import { isoOrNull } from '../nouns/instants.ts'
import type { Database, Trx } from '../pool.ts'
import type { OperatorKeys } from '../schema.ts'
import { recordOperatorAct } from './operator-acts.ts'

/** An operator who sent a request: of no tenant. */
export interface OperatorCaller {
  operatorId: OperatorId
  keyId: KeyId
  scopes: OperatorScope[]
}

export interface OperatorKeyView {
  id: KeyId
  name: string
  operatorId: OperatorId
  operatorName: string
  scopes: OperatorScope[]
  createdAt: string
  expiresAt: string | null
  revokedAt: string | null
  lastUsedAt: string | null
}

const scopes = z.array(operatorScope)
/** `almop_`, the key's own id without its prefix, and 256 random bits. */
const secretForm = /^almop_([0-7][0-9a-hjkmnp-tv-z]{25})_([A-Za-z0-9_-]{43})$/

/** Whether a secret has the form of an operator's; a tenant's never has. */
export const isOperatorSecret = (secret: string): boolean => secret.startsWith('almop_')

/** The operator of a secret, or KEY_INVALID, KEY_EXPIRED. Read as tenants' keys are; see authenticateKey. */
export async function authenticateOperator(db: Database, secret: string): Promise<OperatorCaller> {
  const [, suffix] = secretForm.exec(secret) ?? []
  if (!suffix) throw new AlmanacError('KEY_INVALID', {})
  const hash = sha256(secret)
  const row = await db.withSystem('bootstrap', (trx) =>
    trx
      .selectFrom('operator_keys')
      .select(['id', 'operator_id', 'secret_hash', 'scopes', 'expires_at', 'revoked_at'])
      .where('secret_hash', '=', hash)
      .where('id', '=', `key_${suffix}`)
      .executeTakeFirst(),
  )
  const matches = row && timingSafeEqual(Buffer.from(row.secret_hash), Buffer.from(hash))
  if (!row || !matches || row.revoked_at) throw new AlmanacError('KEY_INVALID', {})
  if (row.expires_at && row.expires_at <= new Date())
    throw new AlmanacError('KEY_EXPIRED', { expiredAt: row.expires_at.toISOString() })
  return { operatorId: row.operator_id, keyId: row.id, scopes: scopes.parse(row.scopes) }
}

/** Notes that the key was used; the caller does so at most once a minute and key. */
export const touchOperatorKey = (db: Database, id: KeyId): Promise<void> =>
  db.withSystem('bootstrap', async (trx) => {
    await trx
      .updateTable('operator_keys')
      .set({ last_used_at: sql`now()` })
      .where('id', '=', id)
      .execute()
  })

/** Creates a key for the operator of this name, who is made where there is none; shown this once. */
export async function createOperatorKey(
  trx: Trx,
  actor: string,
  key: { operatorName: string; name: string; scopes: OperatorScope[] },
): Promise<OperatorKeyView & { secret: string }> {
  const id = newId('key')
  const secret = `almop_${id.slice('key_'.length)}_${randomBytes(32).toString('base64url')}`
  const operatorId = await ensureOperator(trx, key.operatorName)
  const row = await trx
    .insertInto('operator_keys')
    .values({
      id,
      operator_id: operatorId,
      name: key.name,
      secret_hash: sha256(secret),
      scopes: key.scopes,
    })
    .returningAll()
    .executeTakeFirstOrThrow()
  await recordOperatorAct(trx, {
    actor,
    action: 'key.created',
    subject: id,
    detail: { name: key.name, operatorId, operatorName: key.operatorName, scopes: key.scopes },
  })
  return { ...view({ ...row, operator_name: key.operatorName }), secret }
}

async function ensureOperator(trx: Trx, name: string): Promise<OperatorId> {
  await trx
    .insertInto('operators')
    .values({ id: newId('operator'), name })
    .onConflict((conflict) => conflict.doNothing())
    .execute()
  const { id } = await trx
    .selectFrom('operators')
    .select('id')
    .where('name', '=', name)
    .executeTakeFirstOrThrow()
  return id
}

const keysWithOperators = (trx: Trx) =>
  trx
    .selectFrom('operator_keys')
    .innerJoin('operators', 'operators.id', 'operator_keys.operator_id')
    .selectAll('operator_keys')
    .select('operators.name as operator_name')

/** Every operator's keys, newest first. */
export async function listOperatorKeys(trx: Trx): Promise<OperatorKeyView[]> {
  const rows = await keysWithOperators(trx).orderBy('operator_keys.id', 'desc').execute()
  return rows.map(view)
}

/** Revokes an operator's key; revoking it again changes nothing. Throws NOT_FOUND. */
export async function revokeOperatorKey(
  trx: Trx,
  actor: string,
  id: KeyId,
): Promise<OperatorKeyView> {
  const { numUpdatedRows } = await trx
    .updateTable('operator_keys')
    .set({ revoked_at: sql`now()` })
    .where('id', '=', id)
    .where('revoked_at', 'is', null)
    .executeTakeFirst()
  const row = await keysWithOperators(trx).where('operator_keys.id', '=', id).executeTakeFirst()
  if (!row) throw new AlmanacError('NOT_FOUND', { what: `operator’s key ${id}` })
  if (numUpdatedRows > 0n)
    await recordOperatorAct(trx, { actor, action: 'key.revoked', subject: id })
  return view(row)
}

const view = (row: Selectable<OperatorKeys> & { operator_name: string }): OperatorKeyView => ({
  id: row.id,
  name: row.name,
  operatorId: row.operator_id,
  operatorName: row.operator_name,
  scopes: scopes.parse(row.scopes),
  createdAt: row.created_at.toISOString(),
  expiresAt: isoOrNull(row.expires_at),
  revokedAt: isoOrNull(row.revoked_at),
  lastUsedAt: isoOrNull(row.last_used_at),
})
