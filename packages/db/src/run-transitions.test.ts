import { canMove, runStates, type RunState } from '@almanac/domain'
import { newId } from '@almanac/domain/ids'
import { describe, expect, it } from 'vitest'
import { testDatabase, testTenant } from '../../../test/support/postgres.ts'
import { failureCode } from './database-failure.ts'

const { db } = await testDatabase()
const { tenantId, specificationId } = await testTenant(db)

const moves = runStates.flatMap((from) =>
  runStates.filter((to) => to !== from).map((to) => ({ from, to, legal: canMove(from, to) })),
)

const parking = (state: RunState) =>
  state === 'parked'
    ? ({ park_reason: 'economy', wake_at: new Date() } as const)
    : ({ park_reason: null, wake_at: null } as const)

describe('the table of transitions', () => {
  it.each(moves)('$from to $to: legal $legal', async ({ from, to, legal }) => {
    const id = newId('run')
    const outcome = await db
      .withSystem('operators', async (trx) => {
        await trx
          .insertInto('runs')
          .values({
            tenant_id: tenantId,
            id,
            specification_id: specificationId,
            revision: 1,
            state: from,
            trigger: 'api',
            requested_by: 'test',
            ...parking(from),
          })
          .execute()
        return trx
          .updateTable('runs')
          .set({ state: to, ...parking(to) })
          .where('tenant_id', '=', tenantId)
          .where('id', '=', id)
          .execute()
          .then(
            () => 'moved',
            (error: unknown) => failureCode(error),
          )
      })
      .catch((error: unknown) => {
        // The transaction of a refused move cannot commit.
        if (error instanceof Error && error.message.includes('swallowed')) return '23514'
        throw error
      })
    expect(outcome).toBe(legal ? 'moved' : '23514')
  })

  it('knows no parked run without reason and time', async () => {
    const run = {
      tenant_id: tenantId,
      id: newId('run'),
      specification_id: specificationId,
      revision: 1,
      state: 'parked',
      trigger: 'api',
      requested_by: 'test',
    } as const
    const insert = (over: object) =>
      db
        .withSystem('operators', (trx) =>
          trx
            .insertInto('runs')
            .values({ ...run, ...over })
            .execute(),
        )
        .then(
          () => 'done',
          (error: unknown) => failureCode(error),
        )
    expect(await insert({})).toBe('23514')
    expect(await insert({ park_reason: 'economy' })).toBe('23514')
    expect(await insert({ state: 'queued', park_reason: 'economy', wake_at: new Date() })).toBe(
      '23514',
    )
  })
})
