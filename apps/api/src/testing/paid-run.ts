import type { RunId } from '@almanac/domain'
import { expect } from 'vitest'
import { queueRun, type TestTenant } from '../../../../test/support/postgres.ts'
import { runQueued } from './run-pipeline.ts'
import type { TestApi } from './test-api.ts'

/** A succeeded run of a period whose one call cost this, on a day. */
export async function paidRun(
  { db, superuser }: Pick<TestApi, 'db' | 'superuser'>,
  tenant: TestTenant,
  { period, microUsd, day = '2026-02-01' }: { period: string; microUsd: number; day?: string },
): Promise<RunId> {
  const runId = await queueRun(db, tenant, { period, fresh: true })
  expect(await runQueued(db, tenant.tenantId)).toBe(1)
  const changed = await superuser(
    `update engine_calls set cost_micro_usd = $1::bigint, input_tokens = $1::bigint / 10, output_tokens = 5,
      served_model = 'gpt-5-mini', hold_day = $2::date, hold_month = date_trunc('month', $2::date)
      where run_id = $3 returning 1`,
    [microUsd, day, runId],
  )
  expect(changed).toHaveLength(1)
  return runId
}
