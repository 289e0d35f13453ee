import { isAlmanacError, type PrincipalId, type RefinementLimits } from '@almanac/domain'
import { newId } from '@almanac/domain/ids'
import type { CheckpointPolicy } from '@almanac/refinement'
import { beforeAll, describe, expect, it } from 'vitest'
import { testDatabase } from '../../../../test/support/postgres.ts'
import { createDriver } from '../testing/drive-run.ts'
import { answerCheckpoint } from './checkpoints.ts'
import { prepareCall } from './prepare-call.ts'
import { proveRoot } from './prove-root.ts'
import type { RootClaim } from './root-key.ts'
import { endRoot, recordMerge } from './settle-root.ts'
import { createRefiner, type RefinedRun } from './testing/refined-run.ts'

const { db, superuser } = await testDatabase()
const driver = createDriver(db)
const refiner = createRefiner(db, driver)

beforeAll(async () => {
  const process = { host: 'test', pid: 1, version: '0' }
  await driver.operations.leases.register({ id: driver.workerId, ...process }, 3_600_000)
})

/** What a root has in the database: all that a refused call must not add to. */
const rowsOf = async ({ claim }: RefinedRun) => {
  const [row] = await superuser<Record<string, number>>(
    `select (select count(*)::int from generations where run_id = $1) as generations,
      (select count(*)::int from variants where run_id = $1) as variants,
      (select count(*)::int from checkpoints where run_id = $1) as checkpoints,
      (select count(*)::int from versions where run_id = $1) as versions,
      (select count(*)::int from engine_calls where run_id = $1) as calls,
      (select coalesce(sum(held_micro_usd + held_tokens), 0)::int from budgets where tenant_id = $2) as held,
      (select count(*)::int from run_events where run_id = $1) as events,
      (select count(*)::int from audit_events where subject = $1 and action <> 'refinement.refused') as acts,
      (select count(*)::int from audit_events where subject = $1 and action = 'refinement.refused') as refused`,
    [claim.runId, claim.tenantId],
  )
  return row ?? {}
}

type Wanted = Parameters<typeof refiner.wanted>[1]

const outcomeOf = (root: RefinedRun, claim: RootClaim, over: Wanted = {}): Promise<string> =>
  prepareCall(db, claim, refiner.wanted({ ...root, claim }, over)).then(
    ({ kind }) => kind,
    (error: unknown) => {
      if (isAlmanacError(error, 'REFINEMENT_REFUSED')) return error.params.refusal
      throw error
    },
  )

/** That a call was refused as foreseen, and that its record is all that there is of it. */
async function expectRefusal(
  root: RefinedRun,
  claim: RootClaim,
  refusal: string,
  over: Wanted = {},
): Promise<void> {
  const before = await rowsOf(root)
  expect(await outcomeOf(root, claim, over)).toBe(refusal)
  expect(await rowsOf(root)).toEqual({ ...before, refused: (before['refused'] ?? 0) + 1 })
  expect(await refiner.stateOf(root.tenant, claim.runId)).toBe('running')
  // Neither is there anything of which the sweep would make jobs.
  const jobs = await refiner.variants.stuck(0)
  expect(jobs.filter(({ runId }) => runId === claim.runId)).toEqual([])
  while ((await driver.operations.chain.link(1_000)) > 0);
  const proof = await db.withTenant(claim.tenantId, (trx) =>
    proveRoot(trx, claim.tenantId, claim.runId),
  )
  expect(proof).toMatchObject({ holds: true, problems: [] })
}

/** A root of which one generation of three was made, and merged. */
async function afterOne(limits: Partial<RefinementLimits>, policy: CheckpointPolicy = 'human') {
  const root = await refiner.open({ limits, policy })
  expect(await outcomeOf(root, root.claim)).toBe('booked')
  for (const ordinal of [1, 2, 3])
    await refiner.variants.finish(
      { ...root.claim, generation: 1, ordinal },
      await refiner.done(root.tenant, 0.6),
    )
  const claim = await refiner.comeBack(root)
  expect(await recordMerge(db, claim, 1, { merge: 'none' })).toBe('recorded')
  return { root, claim }
}

/** A root whose checkpoint waits, and somebody who may answer it. */
async function waiting(limits: Partial<RefinementLimits> = {}, deadlineMinutes?: number) {
  const root = await refiner.open({ limits: { maxDepth: 1, ...limits } })
  const { tenantId, runId } = root.claim
  if (deadlineMinutes !== undefined)
    await superuser(
      'update runs set deadline_at = now() + make_interval(mins => $2) where id = $1',
      [runId, deadlineMinutes],
    )
  const prepared = await prepareCall(db, root.claim, refiner.wanted(root))
  if (prepared.kind !== 'waiting') throw new Error(prepared.kind)
  const other: PrincipalId = newId('principal')
  const { checkpointId } = prepared
  const answer = (decision: 'approved' | 'denied') =>
    answerCheckpoint(
      db,
      tenantId,
      { principalId: other, mayApprove: true },
      { checkpointId, decision, reason: 'because' },
    ).then(
      () => 'done',
      (error: unknown) => (isAlmanacError(error) ? error.code : error),
    )
  return { root, checkpointId, answer }
}

const auto: CheckpointPolicy = {
  auto: { maxExtraMicroUsd: 1_000_000, maxExtraTokens: 1_000_000, minGain: 0 },
}

// Three children of 1,000 micro-USD and 100 tokens each, unless told.
const around: [string, Partial<RefinementLimits>, Wanted, string][] = [
  ['2 of the 3 children', { maxChildren: 2 }, {}, 'CHILDREN_EXCEEDED'],
  ['as many children', { maxChildren: 3 }, {}, 'waiting'],
  ['one child more', { maxChildren: 4 }, {}, 'booked'],
  ['4 children of 5: at 80 %', { maxChildren: 5 }, { children: 4 }, 'waiting'],
  ['3 children of 5: below', { maxChildren: 5 }, { children: 3 }, 'booked'],
  ['5 children of 6: above', { maxChildren: 6 }, { children: 5 }, 'waiting'],
  ['2,999 micro-USD', { microUsd: 2_999 }, {}, 'COST_EXCEEDED'],
  ['3,000 micro-USD', { microUsd: 3_000 }, {}, 'waiting'],
  ['3,001 micro-USD', { microUsd: 3_001 }, {}, 'waiting'],
  ['3,749 micro-USD: above 80 %', { microUsd: 3_749 }, {}, 'waiting'],
  ['3,750 micro-USD: at 80 %', { microUsd: 3_750 }, {}, 'waiting'],
  ['3,751 micro-USD: below', { microUsd: 3_751 }, {}, 'booked'],
  ['299 tokens', { tokens: 299 }, {}, 'TOKENS_EXCEEDED'],
  ['300 tokens', { tokens: 300 }, {}, 'waiting'],
  ['301 tokens', { tokens: 301 }, {}, 'waiting'],
  ['374 tokens: above 80 %', { tokens: 374 }, {}, 'waiting'],
  ['375 tokens: at 80 %', { tokens: 375 }, {}, 'waiting'],
  ['376 tokens: below', { tokens: 376 }, {}, 'booked'],
  ['no depth but this one', { maxDepth: 1 }, {}, 'waiting'],
  ['one depth more', { maxDepth: 2 }, {}, 'booked'],
  [
    'a ceiling of 2,999',
    {},
    { termination: [{ type: 'cost_ceiling', microUsd: 2_999 }] },
    'CEILING_EXCEEDED',
  ],
  [
    'a ceiling of 3,000',
    {},
    { termination: [{ type: 'cost_ceiling', microUsd: 3_000 }] },
    'booked',
  ],
  [
    'a ceiling of 3,001',
    {},
    { termination: [{ type: 'cost_ceiling', microUsd: 3_001 }] },
    'booked',
  ],
]

describe('a first generation of three, with room for', () => {
  it.each(around)('%s', async (_, limits, over, expected) => {
    const root = await refiner.open({ limits })
    if (expected === 'booked' || expected === 'waiting')
      expect(await outcomeOf(root, root.claim, over)).toBe(expected)
    else await expectRefusal(root, root.claim, expected, over)
  })
})

describe('a second generation', () => {
  it.each([
    [{ maxDepth: 1 }, 'DEPTH_EXCEEDED'],
    [{ maxDepth: 2 }, 'booked'],
    [{ maxChildren: 5 }, 'CHILDREN_EXCEEDED'],
    [{ maxChildren: 6 }, 'booked'],
    [{ maxChildren: 7 }, 'booked'],
  ])('under %j, where a policy approves whatever fits: %s', async (limits, expected) => {
    const { root, claim } = await afterOne(limits, auto)
    if (expected === 'booked') expect(await outcomeOf(root, claim)).toBe('booked')
    else await expectRefusal(root, claim, expected)
  })
})

describe('a refused call leaves nothing but its record, also', () => {
  it.each([
    ['whose depth can never be reached', [{ type: 'depth_reached', depth: 11 }]],
    ['whose ceiling is above the budget', [{ type: 'cost_ceiling', microUsd: 500_001 }]],
    ['whose target is above all scores', [{ type: 'target_score', score: 1.01 }]],
    [
      'whose plateau is longer than its depth',
      [{ type: 'quality_plateau', epsilon: 0, patience: 11 }],
    ],
  ])('one %s', async (_, termination) => {
    const root = await refiner.open()
    await expectRefusal(root, root.claim, 'TERMINATION_IMPOSSIBLE', { termination })
  })

  it('one with a condition that is none', async () => {
    const root = await refiner.open()
    const termination = [{ type: 'until_it_is_good' }]
    await expectRefusal(root, root.claim, 'TERMINATION_INVALID', { termination })
  })

  it('one after the deadline, or after the end', async () => {
    const late = await refiner.open()
    await superuser('update runs set deadline_at = now() where id = $1', [late.claim.runId])
    await expectRefusal(late, late.claim, 'DEADLINE_PASSED')
    const over = await refiner.open()
    await endRoot(db, over.claim, 'target')
    await expectRefusal(over, over.claim, 'ROOT_ENDED')
  })

  it('one beside a generation that waits to be merged', async () => {
    const root = await refiner.open()
    await outcomeOf(root, root.claim, { children: 1 })
    await refiner.variants.finish(
      { ...root.claim, generation: 1, ordinal: 1 },
      { state: 'failed', errorCode: 'OUTPUT_INVALID' },
    )
    await expectRefusal(root, await refiner.comeBack(root), 'GENERATION_OPEN')
  })

  it('one that was denied', async () => {
    const { root, answer } = await waiting()
    expect(await answer('denied')).toBe('done')
    await expectRefusal(root, await refiner.comeBack(root), 'CHECKPOINT_DENIED')
  })
})

describe('the time of a checkpoint', () => {
  it.each([
    ["now() + interval '1 min'", 'done'],
    ['clock_timestamp()', 'CHECKPOINT_CLOSED'],
    ["now() - interval '1 ms'", 'CHECKPOINT_CLOSED'],
  ])('that ends at %s: an answer is %s', async (end, expected) => {
    const { root, checkpointId, answer } = await waiting()
    await superuser(
      `update checkpoints set requested_at = now() - interval '1 h', expires_at = ${end} where id = $1`,
      [checkpointId],
    )
    expect(await answer('approved')).toBe(expected)
    const claim = await refiner.comeBack(root)
    if (expected === 'done') expect(await outcomeOf(root, claim)).toBe('booked')
    else await expectRefusal(root, claim, 'CHECKPOINT_EXPIRED')
  })

  it.each([
    [59, 59],
    [60, 60],
    [61, 60],
  ])('of %i minutes is over after %i where the deadline is in 60', async (minutes, expected) => {
    const { checkpointId } = await waiting({ checkpointExpiryMinutes: minutes }, 60)
    const [row] = await superuser<{ minutes: number; isLate: boolean }>(
      `select round(extract(epoch from c.expires_at - c.requested_at) / 60)::int as minutes,
        c.expires_at > date_trunc('milliseconds', r.deadline_at) as "isLate"
      from checkpoints c join runs r on r.id = c.run_id where c.id = $1`,
      [checkpointId],
    )
    expect(row).toEqual({ minutes: expected, isLate: false })
  })
})
