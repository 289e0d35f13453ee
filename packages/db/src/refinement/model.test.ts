import type { PrincipalId, RefinementLimits } from '@almanac/domain'
import { newId } from '@almanac/domain/ids'
import type { NewStoredVersion } from '@almanac/pipeline'
import { proveActs } from '@almanac/refinement'
import fc from 'fast-check'
import { sql } from 'kysely'
import { beforeAll, expect, it } from 'vitest'
import { testDatabase, type TestTenant } from '../../../../test/support/postgres.ts'
import { auditEventOf, type AuditRow } from '../chain.ts'
import { createDriver } from '../testing/drive-run.ts'
import { openRoot } from './open-root.ts'
import { proveRoot } from './prove-root.ts'
import type { RootClaim } from './root-key.ts'
import { pastLimits } from './testing/past-limits.ts'
import { createRefiner, limitsWith, type Refiner } from './testing/refined-run.ts'
import * as model from './testing/refinement-model.ts'
import { createVariants } from './variants.ts'

/**
 * Many roots at once on a real Postgres, each with its own random history of commands and faults: what is
 * stored must be what the model says after every command, and whatever happened the run comes to an end.
 * A crash is the death of a process between two steps, not of the server: nothing here waits for a disk.
 * REFINEMENT_CASES sets how many roots, REFINEMENT_SEED which.
 */
const cases = Number(process.env['REFINEMENT_CASES'] ?? 10_000)
const rootsAtOnce = 240
/** Each with a provider of its own: what its roots share, they wait for in turn. */
const tenantCount = 12
const leastOfEach = 10

const { db, superuser } = await testDatabase()
const driver = createDriver(db)
const variants = createVariants(db)
const world = model.createWorld(db)
const counts = new Map<string, number>()
const count = (transition: string) => void counts.set(transition, (counts.get(transition) ?? 0) + 1)
const dead = newId('worker')

/** A tenant of many roots, with a run in its refine stage that they are copies of. */
interface Household {
  refiner: Refiner
  tenant: TestTenant
  template: RootClaim
  draft: NewStoredVersion
  other: PrincipalId
}
const households: Household[] = []

beforeAll(async () => {
  const process = { host: 'test', pid: 1, version: '0' }
  const { leases } = driver.operations
  await leases.register({ id: driver.workerId, ...process }, 36_000_000)
  await leases.register({ id: dead, ...process }, 0)
  for (let n = 0; n < tenantCount; n += 1) {
    const refiner = { ...createRefiner(db, driver, `test-${n}`), variants }
    const { tenant, claim: template } = await refiner.atRefine()
    const draft = await refiner.draft(tenant, 0.5)
    households.push({ refiner, tenant, template, draft, other: newId('principal') })
  }
})

/** Runs in their refine stage like the template, without the stages before it. */
async function copyRuns({ template }: Household, count: number): Promise<RootClaim[]> {
  const ids = Array.from({ length: count }, () => newId('run'))
  const { tenantId, runId } = template
  await db.querySystem(
    'refinement',
    sql`insert into runs select (jsonb_populate_record(r, jsonb_build_object('id', n.id,
      'event_seq', 0))).* from runs r, jsonb_array_elements_text(${JSON.stringify(ids)}::jsonb) as n (id)
      where r.tenant_id = ${tenantId} and r.id = ${runId}`,
  )
  return ids.map((id) => ({ ...template, runId: id }))
}

let drafts = 0

async function openOne(
  household: Household,
  claim: RootClaim,
  own: Pick<RefinementLimits, 'maxDepth' | 'maxChildren' | 'microUsd'>,
): Promise<{ model: model.Model; real: model.Real }> {
  const { refiner, tenant, other } = household
  const draft = (score: number): NewStoredVersion => {
    drafts += 1
    return { ...household.draft, id: newId('version'), label: `m${drafts}`, score }
  }
  const limits = limitsWith({ tokens: 10_000, ...own })
  const found = await openRoot(db, claim, {
    documentId: newId('document'),
    limits,
    policy: 'human',
    draft: draft(0.5),
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
      world,
      draft,
      root: { tenant, claim, limits },
      claim,
      other,
      dead,
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
const anything = [
  ...Array.from({ length: 12 }, () => next),
  fc.tuple(ordinal, fc.constantFrom(900, 900, 4_000), fault).map((a) => model.prepare(...a)),
  closing,
  closing,
  closing,
  fc.constant(model.wake()),
  fc.boolean().map(model.admit),
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
]
const upTo = (maxCommands: number) => fc.commands(anything, { maxCommands, size: 'max' })
/** Most are short, so that there can be many; some go deep. */
const commands = fc.oneof({ arbitrary: upTo(12), weight: 14 }, { arbitrary: upTo(40), weight: 1 })
const history = fc.record({
  limits: fc.record({
    maxDepth: fc.constantFrom(1, 1, 1, 2, 2, 3, 4),
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
    fc.asyncProperty(
      fc.array(history, { minLength: rootsAtOnce, maxLength: rootsAtOnce }),
      async (histories) => {
        const opened: RootClaim[] = []
        await Promise.all(
          households.map(async (household, n) => {
            const own = histories.filter((_, i) => i % tenantCount === n)
            const claims = await copyRuns(household, own.length)
            opened.push(...claims)
            await Promise.all(
              claims.map(async (claim, i) => {
                const { limits, commands } = own[i] ?? fail()
                const one = await openOne(household, claim, limits)
                await fc.asyncModelRun(() => one, commands)
                await model.drain(one.model, one.real)
              }),
            )
          }),
        )
        while ((await variants.releaseBooked()) > 0);
        await judge(opened)
        roots += opened.length
      },
    ),
    { numRuns: Math.ceil(cases / rootsAtOnce), seed, endOnFailure: true, unbiased: true },
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
}, 1_800_000)

const print = (text: string) => void process.stdout.write(`${text}\n`)

/** Every transition there is; each is to be seen. */
const transitions = [
  'admit',
  'admit: an old epoch',
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

/** P3 and P7 of a batch: what is held and spent, and every root's proof from the audit alone. */
async function judge(roots: readonly RootClaim[]): Promise<void> {
  const [money] = await superuser<{ over: number; unbalanced: number; waiting: number }>(
    `with sums as (
       select run_id, sum(case when state in ('booked', 'open', 'unknown') then hold_micro_usd else 0 end) as held,
         sum(case when state in ('settled', 'charged') then cost_micro_usd else 0 end) as spent
       from engine_calls group by run_id)
     select (select count(*)::int from budgets b
         where b.held_micro_usd + b.spent_micro_usd - b.overrun_micro_usd > b.limit_micro_usd) as over,
       (select count(*)::int from budgets b join sums s on s.run_id = b.subject
         where b.level = 'root' and (b.held_micro_usd, b.spent_micro_usd) <> (s.held, s.spent)) as unbalanced,
       (select count(*)::int from engine_calls where state in ('booked', 'open')) as waiting`,
  )
  expect(money).toEqual({ over: 0, unbalanced: 0, waiting: 0 })
  while ((await driver.operations.chain.link(5_000)) > 0);
  // The links from a tenant's first root of the batch on are those of the others too.
  for (const [tenantId, [first = fail()]] of Map.groupBy(roots, ({ tenantId }) => tenantId)) {
    const chained = await db.withTenant(tenantId, (trx) => proveRoot(trx, tenantId, first.runId))
    expect(chained).toMatchObject({ problems: [], pending: 0 })
  }
  const rows = await superuser<AuditRow>(
    'select * from audit_events where tenant_id = any($1) and subject = any($2)',
    [households.map(({ tenant }) => tenant.tenantId), roots.map(({ runId }) => runId)],
  )
  const bySubject = Map.groupBy(rows.map(auditEventOf), ({ subject }) => subject)
  for (const { runId } of roots) {
    const acts = bySubject.get(runId) ?? []
    expect(proveActs(runId, acts).problems, runId).toEqual([])
    expect(pastLimits(acts), runId).toEqual([])
  }
}

const fail = (): never => {
  throw new Error('there is one root a history')
}
