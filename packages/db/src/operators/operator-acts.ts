import {
  canonicalJson,
  operatorActResource,
  type AuditId,
  type Json,
  type OperatorAction,
  type OperatorActResource,
} from '@almanac/domain'
import { newId } from '@almanac/domain/ids'
import type { Database, Trx } from '../pool.ts'
import { pageFrom, type Page, type PageQuery } from '../nouns/pages.ts'

/** Records what an operator did to the installation, in the transaction of what it did. */
export async function recordOperatorAct(
  trx: Trx,
  act: {
    /** The operator's id; `operator` for whoever has the database's login. */
    actor: string
    action: OperatorAction
    subject: string
    detail?: Record<string, Json>
  },
): Promise<void> {
  await trx
    .insertInto('operator_acts')
    .values({
      id: newId('audit'),
      at: new Date().toISOString(),
      actor: act.actor,
      action: act.action,
      subject: act.subject,
      detail: canonicalJson(act.detail ?? {}),
    })
    .execute()
}

/** What operators did, newest first. */
export const listOperatorActs = (
  db: Database,
  { limit, cursor }: PageQuery,
): Promise<Page<OperatorActResource>> =>
  db.withSystem('operators', async (trx) => {
    let query = trx.selectFrom('operator_acts').selectAll()
    if (cursor) query = query.where('id', '<', cursor as AuditId)
    const rows = await query
      .orderBy('id', 'desc')
      .limit(limit + 1)
      .execute()
    return pageFrom(
      rows,
      limit,
      ({ at, detail, ...row }) =>
        operatorActResource.parse({
          ...row,
          at: at.toISOString(),
          detail: JSON.parse(detail) as unknown,
        }),
      ({ id }) => id,
    )
  })
