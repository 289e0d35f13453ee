import { AlmanacError, type TenantId } from '@almanac/domain'
import { sql } from 'kysely'
import type { Trx } from '../pool.ts'

/** An answer that was given before, to be given again. */
export interface Replay {
  status: number
  response: string
}

const lifetimeHours = 24
/** A first request that has not been answered for so long was lost with its process. */
const abandonedMinutes = 5

/**
 * Reserves a key for the first request that brings it, or answers what that one was answered.
 * Throws IDEMPOTENCY_KEY_REUSED (another body), IDEMPOTENCY_IN_PROGRESS (not answered yet).
 */
export async function beginIdempotent(
  trx: Trx,
  tenantId: TenantId,
  route: string,
  key: string,
  bodyHash: string,
): Promise<Replay | undefined> {
  await trx
    .deleteFrom('idempotency_keys')
    .where('tenant_id', '=', tenantId)
    .where('route', '=', route)
    .where('key', '=', key)
    .where(
      sql<boolean>`created_at < now() - make_interval(hours => ${lifetimeHours})
        or (status is null and created_at < now() - make_interval(mins => ${abandonedMinutes}))`,
    )
    .execute()
  const reserved = await trx
    .insertInto('idempotency_keys')
    .values({ tenant_id: tenantId, route, key, body_hash: bodyHash })
    .onConflict((conflict) => conflict.doNothing())
    .returning('key')
    .executeTakeFirst()
  if (reserved) return undefined
  const known = await trx
    .selectFrom('idempotency_keys')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .where('route', '=', route)
    .where('key', '=', key)
    .executeTakeFirstOrThrow()
  const shown = { key: JSON.stringify(key) }
  if (known.body_hash !== bodyHash) throw new AlmanacError('IDEMPOTENCY_KEY_REUSED', shown)
  if (known.status === null || known.response === null)
    throw new AlmanacError('IDEMPOTENCY_IN_PROGRESS', shown)
  return { status: known.status, response: known.response }
}

/** Keeps the answer of the first request. */
export async function finishIdempotent(
  trx: Trx,
  tenantId: TenantId,
  route: string,
  key: string,
  { status, response }: Replay,
): Promise<void> {
  await trx
    .updateTable('idempotency_keys')
    .set({ status, response })
    .where('tenant_id', '=', tenantId)
    .where('route', '=', route)
    .where('key', '=', key)
    .execute()
}

/** Forgets a key whose request failed inside Almanac, so that it can be tried again. */
export async function forgetIdempotent(
  trx: Trx,
  tenantId: TenantId,
  route: string,
  key: string,
): Promise<void> {
  await trx
    .deleteFrom('idempotency_keys')
    .where('tenant_id', '=', tenantId)
    .where('route', '=', route)
    .where('key', '=', key)
    .where('status', 'is', null)
    .execute()
}
