import type { RefinementLimits, RunId, TenantId } from '@almanac/domain'
import { newId } from '@almanac/domain/ids'
import { proveActs } from '@almanac/refinement'
import fc from 'fast-check'
import { sql } from 'kysely'
import { beforeAll, expect, it } from 'vitest'
import { testDatabase, type TestTenant } from '../../../../test/support/postgres.ts'
import { auditEventOf, type AuditRow } from '../chain.ts'
import { createDriver } from '../testing/drive-run.ts'
import { openRoot } from './open-root.ts'
import { proveRoot } from './prove-root.ts'
import { createRefiner, limitsWith } from './testing/refined-run.ts'
import * as model from './testing/refinement-model.ts'

/**
 * Many roots at once on a real Postgres, each with its own random history of commands and faults: what is
 * stored must be what the model says after every command, and whatever happened the run comes to an end.
 * REFINEMENT_CASES sets how many roots; the promise was tried with 10,000.
 */
const cases = Number(process.env['REFINEMENT_CASES'] ?? 1_200)
const rootsAtOnce = 60
const leastOfEach = 10

const { db, superuser } = await testDatabase()
const driver = createDriver(db)
const refiner = createRefiner(db, driver)
const counts = new Map<string, number>()
const count = (transition: string) => void counts.set(transition, (counts.get(transition) ?? 0) + 1)
let other = newId('principal')
let template: { tenant: TestTenant; runId: RunId }

beforeAll(async () => {
  const process = { host: 'test', pid: 1, version: '0' }
  await driver.operations.leases.register({ id: driver.workerId, ...process }, 36_000_000)
  const { tenant, claim } = await refiner.atRefine()
  template = { tenant, runId: claim.runId }
})

/** A run in its refine stage like the template's, without the stages before it. */
async function copyRun(): Promise<RunId> {
  const runId = newId('run')
  await db.querySystem(
    'refinement',
    sql`insert into runs select (jsonb_populate_record(r, jsonb_build_object('id', ${runId}::text,
      'event_seq', 0))).* from runs r where r.id = ${template.runId}`,
  )
  return runId
}

async function openOne(
  own: Pick<RefinementLimits, 'maxDepth' | 'maxChildren' | 'microUsd'>,
): Promise<{ model: model.Model; real: model.Real }> {
  const { tenant } = template
  const runId = await copyRun()
  const { epoch } = await driver.load(tenant.tenantId, runId)
  const claim = { tenantId: tenant.tenantId, runId, epoch }
  const limits = limitsWith({ tokens: 10_000, ...own })
  const found = await openRoot(db, claim, {
    documentId: newId('document'),
    limits,
    policy: 'human',
    draft: await refiner.draft(tenant, 0.5),
  })
  expect(found).toBe('opened')
  return {
    model: {
      state: 'running',
      depth: 0,
      children: 0,
      generation: null,
      decision: 'none',
      overrun: false,
    },
    real: {
      db,
      driver,
      refiner,
      root: { tenant, claim, limits },
      claim,
      other,
      checkpointId: null,
      begun: new Set(),
      count,
    },
  }
}

const fault = fc.oneof(
  { arbitrary: fc.constant('none' as const), weight: 4 },
  { arbitrary: fc.constantFrom(...model.faults), weight: 3 },
)
const ordinal = fc.integer({ min: 1, max: 3 })
const cost = fc.option(fc.constantFrom(-1, 100, 900, 1_500), { nil: null })
const closing = fc
  .tuple(
    ordinal,
    fc.constantFrom('done', 'done', 'failed', 'cancelled'),
    fc.integer({ min: 40, max: 95 }),
    cost,
    fault,
  )
  .map(([n, how, score, paid, f]) => model.closeVariant(n, how, score / 100, paid, f))
const next = fc.tuple(fc.nat(1_000), fault).map((a) => model.next(...a))
const commands = fc.commands(
  [
    ...Array.from({ length: 12 }, () => next),
    fc.tuple(ordinal, fc.constantFrom(900, 900, 4_000), fault).map((a) => model.prepare(...a)),
    closing,
    closing,
    closing,
    fc.constant(model.wake()),
    fc.constant(model.admit()),
    fc.constant(model.admit()),
    fc
      .tuple(
        fc.constantFrom('approved', 'approved', 'denied'),
        fc.constantFrom('other', 'other', 'own', 'nobody'),
        fault,
      )
      .map((a) => model.answer(...a)),
    fc.constant(model.expire()),
    fault.map(model.cancel),
    fault.map(model.raise),
    fc
      .tuple(fc.constantFrom('accepted', 'rejected', 'none'), fault)
      .map((a) => model.mergeGeneration(...a)),
    fc
      .tuple(fc.constantFrom('accepted', 'rejected', 'none'), fault)
      .map((a) => model.mergeGeneration(...a)),
    fault.map(model.stop),
    ordinal.map(model.workerDies),
  ],
  { maxCommands: 40, size: 'max' },
)
const history = fc.record({
  limits: fc.record({
    maxDepth: fc.integer({ min: 1, max: 4 }),
    maxChildren: fc.constantFrom(4, 8, 40),
    microUsd: fc.constantFrom(10_000, 20_000),
  }),
  commands,
})

it('any history of guard, fan-in, checkpoints, cancel and expiry, with crashes anywhere, ends well', async () => {
  let roots = 0
  const seed = Number(process.env['REFINEMENT_SEED'] ?? Date.now() % 2 ** 31)
  print(`refinement model: seed ${seed}, ${cases} roots`)
  await fc.assert(
    fc
      .asyncProperty(
        fc.array(history, { minLength: rootsAtOnce, maxLength: rootsAtOnce }),
        async (histories) => {
          const opened: { model: model.Model; real: model.Real }[] = []
          await Promise.all(
            histories.map(async ({ limits, commands }) => {
              const one = await openOne(limits)
              opened.push(one)
              await fc.asyncModelRun(() => one, commands)
              await model.drain(one.model, one.real)
            }),
          )
          while ((await refiner.variants.releaseBooked()) > 0);
          await judge(
            template.tenant.tenantId,
            opened.map(({ real }) => real.root.claim.runId),
          )
          roots += opened.length
        },
      )
      .beforeEach(freshTenant),
    { numRuns: Math.ceil(cases / rootsAtOnce), seed, endOnFailure: true },
  )
  print(
    `${roots} roots\n${[...counts]
      .sort()
      .map(([name, n]) => `${String(n).padStart(8)}  ${name}`)
      .join('\n')}`,
  )
  expect(roots).toBeGreaterThanOrEqual(cases)
  for (const [name, n] of counts) expect(n, name).toBeGreaterThanOrEqual(leastOfEach)
  expect([...counts.keys()].sort()).toEqual(transitions)
}, 3_600_000)

const print = (text: string) => void process.stdout.write(`${text}\n`)

/** Every transition there is; each is to be seen. */
const transitions = [
  'admit',
  'answer: CHECKPOINT_CLOSED',
  'answer: CHECKPOINT_OWN_REQUEST',
  'answer: SCOPE_MISSING',
  'answer: approved',
  'answer: denied',
  'call: answered before',
  'call: no room for another',
  'call: overrun',
  'call: settled',
  'call: unknown',
  'cancel: from checkpoint',
  'cancel: from children',
  'cancel: from queued',
  'end',
  'expire',
  'fan-in: the last one',
  'fault: answer lost',
  'fault: none',
  'fault: rolled back',
  'fault: twice at once',
  'merge: accepted',
  'merge: none',
  'merge: rejected',
  'prepare: booked',
  'prepare: refused',
  'prepare: waiting',
  'raise: limits',
  'raise: voids',
  'refused: BUDGET_EXHAUSTED',
  'refused: CHECKPOINT_DENIED',
  'refused: CHECKPOINT_EXPIRED',
  'refused: CHILDREN_EXCEEDED',
  'refused: COST_EXCEEDED',
  'refused: DEPTH_EXCEEDED',
  'refused: GENERATION_OPEN',
  'variant: cancelled',
  'variant: closed before',
  'variant: done',
  'variant: failed',
  'wake: from checkpoint',
  'wake: from children',
  'worker: busy',
  'worker: died',
  'worker: died three times',
]

/** Each batch of roots has a tenant of its own, so that its audit stays short. */
async function freshTenant(): Promise<void> {
  const { tenant, claim } = await refiner.atRefine()
  template = { tenant, runId: claim.runId }
  other = newId('principal')
}

/** P3 and P7 of a batch: what is held and spent, and every root's proof from the audit alone. */
async function judge(tenantId: TenantId, roots: readonly RunId[]): Promise<void> {
  const [money] = await superuser<{ over: number; unbalanced: number; booked: number }>(
    `with sums as (
       select run_id, sum(case when state in ('booked', 'open', 'unknown') then hold_micro_usd else 0 end) as held,
         sum(case when state in ('settled', 'charged') then cost_micro_usd else 0 end) as spent
       from engine_calls where tenant_id = $1 group by run_id)
     select (select count(*)::int from budgets b where b.tenant_id = $1
         and b.held_micro_usd + b.spent_micro_usd - b.overrun_micro_usd > b.limit_micro_usd) as over,
       (select count(*)::int from budgets b join sums s on s.run_id = b.subject where b.tenant_id = $1
         and b.level = 'root' and (b.held_micro_usd, b.spent_micro_usd) <> (s.held, s.spent)) as unbalanced,
       (select count(*)::int from engine_calls where tenant_id = $1 and state = 'booked') as booked`,
    [tenantId],
  )
  expect(money).toEqual({ over: 0, unbalanced: 0, booked: 0 })
  while ((await driver.operations.chain.link(5_000)) > 0);
  const [first = newId('run')] = roots
  const chained = await db.withTenant(tenantId, (trx) => proveRoot(trx, tenantId, first))
  expect(chained).toMatchObject({ problems: [], pending: 0 })
  const rows = await superuser<AuditRow>('select * from audit_events where tenant_id = $1', [
    tenantId,
  ])
  const bySubject = Map.groupBy(rows.map(auditEventOf), ({ subject }) => subject)
  for (const root of roots)
    expect(proveActs(root, bySubject.get(root) ?? []).problems, root).toEqual([])
}
