import type { TenantId } from '@almanac/domain'
import { newId } from '@almanac/domain/ids'
import type { HoldRequest } from '@almanac/pipeline'
import { sql } from 'kysely'
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { queueRun, testDatabase, testTenant } from '../../../test/support/postgres.ts'
import { closeCalls, toHoldRequests, type Closing } from './ledger.ts'
import { createDriver } from './testing/drive-run.ts'
import {
  createModel,
  isAnswered,
  levels,
  stops,
  type Answer,
  type History,
  type Model,
  type Send,
  type Step,
} from './testing/ledger-model.ts'

/**
 * The ledger against its model, in Postgres: a case is the whole history of a tenant. Many histories go in
 * lockstep, so that their steps share grouped statements as those of concurrent jobs do: that is how
 * ten thousand of them take seconds. After every step, what each answer said and every balance is
 * compared; so every prefix of every history is.
 */
const together = 250
const batches = 42
const seed = Number(process.env['FC_SEED'] ?? Date.now() % 2 ** 31)

const { db, superuser } = await testDatabase()
const driver = createDriver(db)
const { workerId, operations } = driver
beforeAll(() =>
  operations.leases.register({ id: workerId, host: 'test', pid: 1, version: '0' }, 3_600_000),
)

const amounts = (most: number) =>
  fc.record({ usd: fc.integer({ min: 0, max: most }), tok: fc.integer({ min: 0, max: most }) })
const limit = fc.record({
  usd: fc.option(fc.integer({ min: 0, max: 14 })),
  tok: fc.option(fc.integer({ min: 0, max: 20 })),
})
const run = fc.constantFrom(0 as const, 1 as const)
const which = fc.integer({ min: 0, max: 5 })
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('hold' as const),
      run,
      kind: fc.constantFrom('draft' as const, 'repair' as const, 'variant' as const),
      n: fc.integer({ min: 1, max: 2 }),
      need: amounts(5),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('end' as const),
      which,
      to: fc.constantFrom(
        'settled' as const,
        'settled' as const,
        'released' as const,
        'unknown' as const,
      ),
      cost: amounts(6),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('crash' as const), run }) },
  { weight: 1, arbitrary: fc.constant({ do: 'charge' as const }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('release by hand' as const), which }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('limit' as const),
      level: fc.constantFrom(...levels.filter((level) => level !== 'root')),
      limit,
    }),
  },
  { weight: 1, arbitrary: fc.constant({ do: 'acknowledge' as const }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('stop' as const), stop: fc.constantFrom(...stops) }),
  },
  // Of one kind at a time: others stay in force.
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('resume' as const), stop: fc.constantFrom(...stops) }),
  },
)
const history: fc.Arbitrary<History> = fc.record({
  root: fc.record({ usd: fc.integer({ min: 4, max: 14 }), tok: fc.integer({ min: 4, max: 20 }) }),
  steps: fc.array(step, { minLength: 8, maxLength: 14 }),
})

describe('ten thousand histories of money', () => {
  it(`keep every limit and every balance, whoever dies between any two steps (FC_SEED=${seed})`, async () => {
    let cases = 0
    await fc.assert(
      fc.asyncProperty(
        fc.array(history, { minLength: together, maxLength: together }),
        async (histories) => {
          const day = new Date().getUTCDate()
          try {
            await play(histories)
          } catch (error) {
            // Days are counted in UTC: what began yesterday is not compared.
            if (new Date().getUTCDate() === day) throw error
          }
          cases += histories.length
        },
      ),
      { seed, numRuns: batches, endOnFailure: true },
    )
    expect(cases).toBeGreaterThanOrEqual(10_000)
  }, 600_000)
})

interface World {
  history: History
  model: Model
  tenantId: TenantId
  specificationId: string
  runs: [string, string]
  provider: string
}

async function play(histories: History[]): Promise<void> {
  const worlds = await makeWorlds(histories)
  const longest = Math.max(...histories.map(({ steps }) => steps.length))
  for (let at = 0; at < longest; at += 1) {
    const now = worlds.flatMap((world) => {
      const next = world.history.steps[at]
      return next ? [{ world, step: next }] : []
    })
    const of = <D extends Step['do']>(name: D) =>
      now.flatMap(({ world, step: s }) =>
        s.do === name ? [{ world, step: s as Extract<Step, { do: D }> }] : [],
      )
    await holdAll(of('hold'))
    await endAll(of('end'), of('release by hand'), of('charge'))
    await crashAll(of('crash'))
    await limitAll(of('limit'))
    await acknowledgeAll(of('acknowledge'))
    await stopAll(of('stop'))
    await resumeAll(of('resume'))
    await compareAll(worlds, at)
  }
}

/** Tenants with a specification and two running runs each, copied from one that was made properly. */
async function makeWorlds(histories: History[]): Promise<World[]> {
  const pattern = await testTenant(db)
  const runId = await queueRun(db, pattern, { test: true })
  await driver.admit(pattern.tenantId)
  const worlds = histories.map((one): World => ({
    history: one,
    model: createModel(one),
    tenantId: newId('tenant'),
    specificationId: newId('specification'),
    runs: [newId('run'), newId('run')],
    provider: newId('key'),
  }))
  const made = JSON.stringify(
    worlds.map(({ tenantId, specificationId }) => ({
      tenant_id: tenantId,
      specification_id: specificationId,
    })),
  )
  const { tenantId, specificationId } = pattern
  const spec = `jsonb_build_object('tenant_id', w ->> 'tenant_id', 'id', w ->> 'specification_id')`
  await copyRows('tenants', 'id', tenantId, made, `jsonb_build_object('id', w ->> 'tenant_id')`)
  await copyRows('specifications', 'id', specificationId, made, spec)
  await copyRows('specification_revisions', 'specification_id', specificationId, made, 'w')
  const runs = JSON.stringify(
    worlds.flatMap((world) =>
      world.runs.map((id) => ({
        id,
        tenant_id: world.tenantId,
        specification_id: world.specificationId,
      })),
    ),
  )
  await copyRows('runs', 'id', runId, runs, 'w')
  return worlds
}

/** Copies of one row, each with what an element `w` of `made` says instead. */
async function copyRows(
  table: string,
  key: string,
  id: string,
  made: string,
  instead: string,
): Promise<void> {
  const [columns] = await superuser<{ list: string }>(
    `select string_agg(quote_ident(attname), ', ') as list from pg_attribute
      where attrelid = $1::regclass and attnum > 0 and attgenerated = '' and not attisdropped`,
    [table],
  )
  await superuser(
    `insert into ${table} (${columns?.list}) select ${columns?.list} from (
      select (jsonb_populate_record(t, ${instead})).* from ${table} t, jsonb_array_elements($1::jsonb) w
      where t.${key} = $2) as copies`,
    [made, id],
  )
}

type Of<D extends Step['do']> = { world: World; step: Extract<Step, { do: D }> }[]

async function holdAll(holds: Of<'hold'>): Promise<void> {
  if (holds.length === 0) return
  const requests = holds.map(({ world, step: { run: r, kind, n, need } }): HoldRequest => ({
    run: {
      tenantId: world.tenantId,
      id: world.runs[r] ?? newId('run'),
      specificationId: world.specificationId,
    } as HoldRequest['run'],
    epoch: world.model.epochs[r] ?? 0,
    stage: 'execute',
    workerId,
    callKey: `${kind}:${n}`,
    call: '{}',
    provider: world.provider,
    model: 'm',
    requestHash: `${world.tenantId} ${kind} ${n}`,
    packageHash: 'p',
    estimate: { microUsd: need.usd, tokens: need.tok },
    runLimit: { microUsd: world.history.root.usd, tokens: world.history.root.tok },
    ...(kind === 'draft' && { finishing: { microUsd: 2 * need.usd, tokens: 2 * need.tok } }),
    reuse: false,
  }))
  const answers = await db.querySystem(
    'ledger',
    sql<{ outcome: string; seq: number; level: string; unit: string; because: string }>`
      select * from hold_calls(${toHoldRequests(requests)}::hold_request[]) order by n`,
  )
  holds.forEach(({ world, step: s }, i) => {
    const wanted = world.model.hold(s)
    const { outcome, seq, level, unit, because } = answers[i] ?? { outcome: 'nothing' }
    const found =
      outcome === 'granted'
        ? { outcome, seq }
        : outcome === 'refused'
          ? { outcome, level, unit, because }
          : { outcome }
    expect(found, told(world, s)).toEqual(wanted)
    if (wanted.outcome === 'granted') assertWithin(world, s, wanted)
  })
}

/** P3 itself: whatever was just let in fits into every limit. */
function assertWithin(
  { model, history: h }: World,
  { run: r, need }: Of<'hold'>[0]['step'],
  _: Answer,
) {
  for (const level of levels) {
    const { limit: most, held, spent } = model.budgetOf(level, r)
    if (need.usd > 0 && most.usd !== null)
      expect(held.usd + spent.usd, JSON.stringify(h)).toBeLessThanOrEqual(most.usd)
    if (need.tok > 0 && most.tok !== null && level !== 'provider_day')
      expect(held.tok + spent.tok, JSON.stringify(h)).toBeLessThanOrEqual(most.tok)
  }
}

async function endAll(
  ends: Of<'end'>,
  byHand: Of<'release by hand'>,
  charges: Of<'charge'>,
): Promise<void> {
  const closing = (world: World, { run: r, key, seq }: Send) => ({
    tenantId: world.tenantId,
    runId: world.runs[r],
    callKey: key,
    seq,
  })
  const closings: Closing[] = []
  for (const { world, step: s } of ends) {
    const send = world.model.sends[s.which]
    if (!send) continue
    const { usd, tok } = s.cost
    closings.push(
      s.to === 'settled'
        ? {
            ...closing(world, send),
            to: s.to,
            costMicroUsd: usd,
            inputTokens: tok,
            outputTokens: 0,
            cachedInputTokens: 0,
            estimated: false,
            outcome: 'completed',
            outputHash: isAnswered(s.cost) ? 'out' : null,
          }
        : { ...closing(world, send), to: s.to, reason: 'test' },
    )
    world.model.end(s.which, s.to, s.cost)
  }
  for (const { world, step: s } of byHand) {
    const send = world.model.sends[s.which]
    if (!send) continue
    const audit = { auditId: newId('audit'), auditDetail: '{}' }
    closings.push({ ...closing(world, send), to: 'released', actor: 'operator', ...audit })
    world.model.releaseByHand(s.which)
  }
  for (const { world } of charges) {
    for (const send of world.model.sends)
      closings.push({
        ...closing(world, send),
        to: 'charged',
        auditId: newId('audit'),
        auditDetail: '{}',
      })
    world.model.charge()
  }
  if (closings.length > 0) await closeCalls(db, closings)
}

async function crashAll(crashes: Of<'crash'>): Promise<void> {
  const ids = crashes.map(({ world, step: { run: r } }) => {
    world.model.epochs[r] = (world.model.epochs[r] ?? 0) + 1
    return world.runs[r]
  })
  if (ids.length > 0)
    await superuser('update runs set epoch = epoch + 1 where id = any ($1)', [ids])
}

async function limitAll(limits: Of<'limit'>): Promise<void> {
  const set = limits.map(({ world, step: s }) => {
    world.model.budgetOf(s.level, 0).limit = { ...s.limit }
    const { tenantId: tenant, specificationId, provider } = world
    const subject = s.level === 'specification' ? specificationId : tenant
    return { tenant, provider, subject, level: s.level, ...s.limit }
  })
  if (set.length === 0) return
  const rows = sql`jsonb_to_recordset(${JSON.stringify(set)}::jsonb) as l (tenant text, provider text,
    subject text, level text, usd bigint, tok bigint)`
  await db.querySystem(
    'ledger',
    sql`select set_budget_limit(tenant, level, subject, usd, tok, 'operator') from ${rows}
      where level <> 'provider_day'`,
  )
  await db.querySystem(
    'ledger',
    sql`select set_provider_limit(provider, usd, 'operator') from ${rows} where level = 'provider_day'`,
  )
}

async function acknowledgeAll(acknowledged: Of<'acknowledge'>): Promise<void> {
  const tenants = acknowledged.map(({ world }) => world.tenantId)
  if (tenants.length === 0) return
  await db.querySystem(
    'ledger',
    sql`select acknowledge_overrun(tenant_id, run_id, call_key, seq, 'operator', 'seen')
      from budget_overruns where tenant_id = any (${tenants}) and acknowledged_at is null`,
  )
  for (const { world } of acknowledged) world.model.acknowledge()
}

async function stopAll(stopped: Of<'stop'>): Promise<void> {
  if (stopped.length === 0) return
  for (const { world, step: s } of stopped) world.model.inForce.add(s.stop)
  const rows = JSON.stringify(stopped.map(subjectOfStop))
  const told = sql`jsonb_to_recordset(${rows}::jsonb) as s (scope text, subject text)`
  await db.querySystem(
    'spending',
    sql`insert into spend_stops (scope, subject, reason, stopped_by)
      select scope, subject, 'a test', 'operator' from ${told} where scope <> 'bill' on conflict do nothing`,
  )
  await db.querySystem(
    'spending',
    sql`select open_circuit(subject, 'insufficient_quota') from ${told} where scope = 'bill'`,
  )
}

async function resumeAll(resumed: Of<'resume'>): Promise<void> {
  if (resumed.length === 0) return
  for (const { world, step: s } of resumed) world.model.inForce.delete(s.stop)
  const rows = JSON.stringify(resumed.map(subjectOfStop))
  const told = sql`jsonb_to_recordset(${rows}::jsonb) as s (scope text, subject text)`
  await db.querySystem(
    'spending',
    sql`update spend_stops r set resumed_by = 'operator', resumed_at = now() from ${told}
      where r.scope = s.scope and r.subject = s.subject and r.resumed_at is null`,
  )
  await db.querySystem(
    'spending',
    sql`select close_circuit(subject, 'operator') from ${told} where scope = 'bill'`,
  )
}

const subjectOfStop = ({
  world: { tenantId, provider },
  step: { stop },
}: Of<'stop' | 'resume'>[number]) => ({
  scope: stop,
  subject: stop === 'provider' || stop === 'bill' ? provider : tenantId,
})

interface Row {
  level: string
  subject: string
  figures: number[]
}

/** Every balance of every history, to the micro-USD and token. */
async function compareAll(worlds: World[], at: number): Promise<void> {
  const rows = await superuser<Row>(
    `select level, subject, array[sum(held_micro_usd), sum(held_tokens), sum(spent_micro_usd),
        sum(spent_tokens), sum(overrun_micro_usd), sum(overrun_tokens), sum(finish_micro_usd),
        sum(finish_tokens), sum(repaired_micro_usd), sum(repaired_tokens), sum(blocked)]::int[] as figures
      from budgets where tenant_id = any ($1) group by 1, 2
    union all
    select 'provider_day', provider, array[sum(held_micro_usd), sum(spent_micro_usd),
        sum(overrun_micro_usd), sum(blocked)]::int[]
      from provider_budgets where provider = any ($2) group by 1, 2`,
    [worlds.map(({ tenantId }) => tenantId), worlds.map(({ provider }) => provider)],
  )
  const counted = new Map(
    rows.map(({ level, subject, figures }) => [`${level} ${subject}`, figures]),
  )
  for (const world of worlds) {
    const { model, tenantId, specificationId, provider, runs } = world
    const subjects = [
      ['root', runs[0], 0],
      ['root', runs[1], 1],
      ['specification', specificationId, 0],
      ['tenant_day', tenantId, 0],
      ['tenant_month', tenantId, 0],
      ['provider_day', provider, 0],
    ] as const
    for (const [level, subject, r] of subjects) {
      const { held, spent, over, finish, repaired, blocked } = model.budgetOf(level, r)
      const wanted =
        level === 'provider_day'
          ? [held.usd, spent.usd, over.usd, blocked]
          : [held, spent, over, finish, repaired]
              .flatMap(({ usd, tok }) => [usd, tok])
              .concat(blocked)
      const found = counted.get(`${level} ${subject}`) ?? wanted.map(() => 0)
      if (found.join() !== wanted.join())
        expect(found, `${level} after step ${at} of ${JSON.stringify(world.history)}`).toEqual(
          wanted,
        )
    }
  }
}

const told = ({ history: h }: World, s: Step) => `${JSON.stringify(s)} of ${JSON.stringify(h)}`
