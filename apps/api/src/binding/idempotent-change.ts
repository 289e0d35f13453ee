import { beginIdempotent, finishIdempotent, forgetIdempotent, type Database } from '@almanac/db'
import { AlmanacError, routes, type Operation } from '@almanac/domain'
import { hashOf } from '@almanac/domain/hash'
import { z } from 'zod'
import type { Asked, Change, JsonAnswer, ResponseBody } from './route-handler.ts'

/**
 * The life of a key:
 *
 *   1. `begin`, in a transaction of its own: the first request reserves the key; a later one learns
 *      that it is still running, was another request, or was answered.
 *   2. The change, and the answer beside the key, in one transaction: both are there, or neither.
 *   3. A change that was refused was rolled back, and its key is forgotten: nothing was done, so the
 *      same request may be sent again.
 */
export async function runChange<O extends Operation>(
  db: Database,
  operation: O,
  { change }: Change<O>,
  asked: Asked<O>,
): Promise<JsonAnswer<ResponseBody<O>>> {
  const { tenantId } = asked.caller
  const key = readKey(asked.request.get('idempotency-key'))
  if (key === undefined) return db.withTenant(tenantId, (trx) => change(trx, asked))

  const { params, query, body } = asked
  const bodyHash = hashOf({ params, query, body })
  const replay = await db.withTenant(tenantId, (trx) =>
    beginIdempotent(trx, tenantId, operation, key, bodyHash),
  )
  if (replay) {
    const kept = keptAnswer.parse(JSON.parse(replay.response))
    return {
      status: replay.status,
      headers: { ...kept.headers, 'idempotency-replayed': 'true' },
      // It was an answer of this very operation when it was kept.
      body: kept.body as ResponseBody<O>,
    }
  }
  try {
    return await db.withTenant(tenantId, async (trx) => {
      const answer = await change(trx, asked)
      const { status = routes[operation].status, headers = {}, body } = answer
      const response = JSON.stringify({ headers, body })
      await finishIdempotent(trx, tenantId, operation, key, { status, response })
      return answer
    })
  } catch (error) {
    // If this fails too, the key counts as abandoned after a few minutes.
    await db
      .withTenant(tenantId, (trx) => forgetIdempotent(trx, tenantId, operation, key))
      .catch(() => undefined)
    throw error
  }
}

const keptAnswer = z.object({ headers: z.record(z.string(), z.string()), body: z.json() })

const keyForm = z.string().regex(/^[\x21-\x7e]{1,200}$/)

function readKey(value: string | undefined): string | undefined {
  if (value === undefined || keyForm.safeParse(value).success) return value
  const message = 'must have 1 to 200 visible ASCII characters'
  throw new AlmanacError('INPUT_INVALID', {
    issues: [{ field: 'header.idempotency-key', message }],
  })
}
