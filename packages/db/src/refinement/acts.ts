import { canonicalJson } from '@almanac/domain'
import { refinementActs, type RefinementAct, type RefinementAction } from '@almanac/refinement'
import { sql } from 'kysely'
import type { Trx } from '../pool.ts'
import type { RootKey } from './root-key.ts'

/** The fields of an act without its number, which the database gives under the root's lock. */
export type ActFields<A extends RefinementAction> = Omit<RefinementAct<A>, 'act'>

/** The inside of an act's canonical JSON after its number; throws when the fields are not the action's. */
export function actFields<A extends RefinementAction>(action: A, fields: ActFields<A>): string {
  // The number is there for the schema alone.
  const { act: _number, ...parsed } = refinementActs[action].parse({ ...fields, act: 1 })
  return canonicalJson(parsed).slice(1, -1)
}

/** Records an act of a root, whose run the caller has locked. */
export async function recordRootAct<A extends RefinementAction>(
  trx: Trx,
  { tenantId, runId }: RootKey,
  actor: string,
  action: A,
  fields: ActFields<A>,
): Promise<void> {
  await sql`select root_act(${tenantId}, ${runId}, ${actor}, ${action}, ${actFields(action, fields)})`.execute(
    trx,
  )
}
