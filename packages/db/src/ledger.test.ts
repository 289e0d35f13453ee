import type { RunId } from '@almanac/domain'
import { hashed } from '@almanac/domain/hash'
import { newId } from '@almanac/domain/ids'
import type { LoadedRun } from '@almanac/pipeline'
import fc from 'fast-check'
import { Client } from 'pg'
import { beforeAll, describe, expect, it } from 'vitest'
import { queueRun, testDatabase, testTenant } from '../../../test/support/postgres.ts'
import { plainCodec } from './codec.ts'
import { createLedger, toHoldRequests } from './ledger.ts'
import { createSpendGate } from './rates/spend-gate.ts'
import { resumeSpending, stopSpending, type StopScope } from './rates/stops.ts'
import { createDriver } from './testing/drive-run.ts'
import { callRef, holdRequest, settlement } from './testing/paid-call.ts'

const { db, url, superuser } = await testDatabase()
const driver = createDriver(db)
const { ports, operations, workerId } = driver
const { ledger, content } = ports

const dead = newId('worker')
beforeAll(async () => {
  const process = { host: 'test', pid: 1, version: '0' }
  await operations.leases.register({ id: workerId, ...process }, 3_600_000)
  await operations.leases.register({ id: dead, ...process }, -1)
})

async function runs(count: number): Promise<LoadedRun[]> {
  const tenant = await testTenant(db)
  const ids: RunId[] = []
  for (let i = 0; i < count; i += 1) ids.push(await queueRun(db, tenant, { test: true }))
  await driver.admit(tenant.tenantId, count)
  return Promise.all(ids.map((id) => driver.load(tenant.tenantId, id)))
}

async function oneRun(): Promise<LoadedRun> {
  const [run] = await runs(1)
  if (!run) throw new Error('no run')
  return run
}

const budgets = async ({ facts }: LoadedRun) => {
  const rows = await superuser<{ level: string; held: string; spent: string; overrun: string }>(
    `select level, held_micro_usd as held, spent_micro_usd as spent, overrun_micro_usd as overrun
      from budgets where tenant_id = $1 and subject in ($1, $2, $3)`,
    [facts.tenantId, facts.id, facts.specificationId],
  )
  return Object.fromEntries(
    rows.map(({ level, ...amounts }) => [level, Object.values(amounts).map(Number)]),
  )
}

/** The budget of the month, as a mirror of it would name it. */
const monthOf = async ({ facts: { tenantId } }: LoadedRun) => {
  const [row] = await superuser<{ period: string; version: string }>(
    `select period, version from budgets where tenant_id = $1 and level = 'tenant_month'`,
    [tenantId],
  )
  if (!row) throw new Error('the month has no budget yet')
  const { period, version } = row
  return { tenantId, level: 'tenant_month', subject: tenantId, period, version: Number(version) }
}

const callState = async ({ facts }: LoadedRun, seq = 1) => {
  const [row] = await superuser<{ state: string }>(
    'select state from engine_calls where run_id = $1 and seq = $2',
    [facts.id, seq],
  )
  return row?.state
}

const everywhere = (held: number, spent: number, overrun = 0) => ({
  root: [held, spent, overrun],
  specification: [held, spent, overrun],
  tenant_day: [held, spent, overrun],
  tenant_month: [held, spent, overrun],
})

describe('a hold', () => {
  it('counts at every level; settling moves it from held to spent, once', async () => {
    const run = await oneRun()
    expect(await ledger.hold(holdRequest(run, workerId))).toEqual({ state: 'granted', seq: 1 })
    expect(await budgets(run)).toEqual(everywhere(5_000, 0))
    await Promise.all([1, 2, 3].map(() => ledger.settle(callRef(run), settlement())))
    expect(await budgets(run)).toEqual(everywhere(0, 3_000))
    await ledger.release(callRef(run), 'too late')
    await ledger.unknown(callRef(run), 'too late')
    expect(await budgets(run)).toEqual(everywhere(0, 3_000))
    expect(await callState(run)).toBe('settled')
  })

  it('released is given back, once; the call may be sent again', async () => {
    const run = await oneRun()
    await ledger.hold(holdRequest(run, workerId))
    await ledger.release(callRef(run), 'rate')
    await ledger.release(callRef(run), 'rate')
    expect(await budgets(run)).toEqual(everywhere(0, 0))
    expect(await ledger.hold(holdRequest(run, workerId))).toEqual({ state: 'granted', seq: 2 })
  })

  it('of an answered call gives the answer, and holds nothing', async () => {
    const run = await oneRun()
    await ledger.hold(holdRequest(run, workerId))
    await ledger.settle(callRef(run), settlement({ outputHash: 'abc' }))
    expect(await ledger.hold(holdRequest(run, workerId))).toEqual({
      state: 'settled',
      seq: 1,
      outputHash: 'abc',
    })
    expect(await budgets(run)).toEqual(everywhere(0, 3_000))
  })

  it('is settled and its answer stored at once, or neither', async () => {
    const [run, other] = [await oneRun(), await oneRun()]
    for (const one of [run, other]) await ledger.hold(holdRequest(one, workerId))
    const answer = hashed('{"sections":[]}')
    const settled = { ...settlement({ outputHash: answer.hash }), answer }
    await Promise.all([run, other].map((one) => ledger.settle(callRef(one), settled)))
    for (const { facts } of [run, other])
      expect(await content.get(facts.tenantId, answer.hash)).toBe(answer.text)

    const third = await oneRun()
    await ledger.hold(holdRequest(third, workerId))
    const lost = hashed('{"sections":[1]}')
    // A cost that no column can hold: the statement fails, with all that it would have stored.
    const impossible = { ...settled, outputHash: lost.hash, answer: lost, costMicroUsd: 2 ** 70 }
    await expect(ledger.settle(callRef(third), impossible)).rejects.toThrow()
    await expect(content.get(third.facts.tenantId, lost.hash)).rejects.toThrow(/content/)
    expect(await budgets(third)).toEqual(everywhere(5_000, 0))
  })

  it('of a billed call without usable answer is a new send', async () => {
    const run = await oneRun()
    await ledger.hold(holdRequest(run, workerId))
    await ledger.settle(callRef(run), settlement({ outputHash: null }))
    expect(await ledger.hold(holdRequest(run, workerId))).toMatchObject({
      state: 'granted',
      seq: 2,
    })
  })

  it('charges the day and month that it was made in', async () => {
    const run = await oneRun()
    await ledger.hold(holdRequest(run, workerId))
    await superuser(
      `update engine_calls set hold_day = '2022-03-31', hold_month = '2022-03-01' where run_id = $1`,
      [run.facts.id],
    )
    await ledger.settle(callRef(run), settlement())
    const rows = await superuser(
      `select level, period, spent_micro_usd::int as spent from budgets
        where tenant_id = $1 and level like 'tenant%' and spent_micro_usd > 0 order by level`,
      [run.facts.tenantId],
    )
    expect(rows).toEqual([
      { level: 'tenant_day', period: '2022-03-31', spent: 3_000 },
      { level: 'tenant_month', period: '2022-03', spent: 3_000 },
    ])
  })

  it('that turned out too small is charged in full, the excess counted apart', async () => {
    const run = await oneRun()
    await ledger.hold(holdRequest(run, workerId))
    await ledger.settle(callRef(run), settlement({ costMicroUsd: 7_500 }))
    expect(await budgets(run)).toEqual(everywhere(0, 7_500, 2_500))
  })

  it('of an engine that costs nothing touches no budget', async () => {
    const run = await oneRun()
    const free = holdRequest(run, workerId, { estimate: { microUsd: 0, tokens: 0 } })
    expect(await ledger.hold(free)).toEqual({ state: 'granted', seq: 1 })
    await ledger.settle(callRef(run), settlement({ costMicroUsd: 0, tokens: 0 }))
    expect(await budgets(run)).toEqual({})
    expect(await callState(run)).toBe('settled')
  })

  it('of an engine that only counts tokens is limited by tokens', async () => {
    const run = await oneRun()
    const estimate = { microUsd: 0, tokens: 50_000 }
    const ask = (callKey: string) => ledger.hold(holdRequest(run, workerId, { estimate, callKey }))
    expect(await ask('draft:1')).toMatchObject({ state: 'granted' })
    expect(await ask('draft:2')).toEqual({
      state: 'refused',
      level: 'root',
      unit: 'tokens',
      needed: 50_000,
      left: 30_000,
      because: 'limit',
    })
  })
})

describe('a limit', () => {
  it('admits exactly as many as fit of 200 at once, over several processes', async () => {
    const all = await runs(200)
    const [first] = all
    await superuser(
      `insert into budgets (tenant_id, level, subject, period, limit_micro_usd)
        values ($1::text, 'tenant_month', $1::text, to_char(now() at time zone 'utc', 'YYYY-MM'), $2)`,
      [first?.facts.tenantId, 33 * 5_000 + 4_999],
    )
    const processes = Array.from({ length: 4 }, () => createLedger(db, plainCodec))
    const holds = await Promise.all(
      all.map((run, i) => (processes[i % 4] ?? ledger).hold(holdRequest(run, workerId))),
    )
    expect(holds.filter(({ state }) => state === 'granted')).toHaveLength(33)
    const refused = holds.filter(({ state }) => state === 'refused')
    expect(refused).toHaveLength(167)
    expect(refused[0]).toEqual({
      state: 'refused',
      level: 'tenant/month',
      unit: 'micro-USD',
      needed: 5_000,
      left: 4_999,
      because: 'limit',
    })
  })

  it('admits exactly as many as fit of a crowd that takes two statements at once', async () => {
    const some = await runs(8)
    const [first] = some
    if (!first) throw new Error('no runs')
    await superuser(
      `insert into budget_limits (tenant_id, level, subject, limit_micro_usd, set_by)
        values ($1::text, 'tenant_month', $1::text, 1_000_000, 'test')`,
      [first.facts.tenantId],
    )
    const calls = some.flatMap((run) =>
      Array.from({ length: 300 }, (_, n) => {
        const key = `draft:${n}`
        const runLimit = { microUsd: 10_000_000, tokens: 10_000_000 }
        return ledger.hold(
          holdRequest(run, workerId, {
            callKey: key,
            requestHash: `${run.facts.id} ${key}`,
            runLimit,
          }),
        )
      }),
    )
    const granted = (await Promise.all(calls)).filter(({ state }) => state === 'granted')
    expect(granted).toHaveLength(200)
    expect((await budgets(first))['tenant_month']).toEqual([1_000_000, 0, 0])
  })

  it.each(['tenant_month', 'provider_day'])(
    'of %s gives its last room to one of two processes that ask at the same moment',
    async (level) => {
      const [before, one, other] = await runs(3)
      if (!before || !one || !other) throw new Error('no runs')
      const provider = newId('key')
      const ask = (run: LoadedRun) => holdRequest(run, workerId, { provider })
      // All budgets but those of the runs are there: making one would be waited for by itself.
      await ledger.hold(ask(before))
      await ledger.release(callRef(before), 'test')
      const [table, of, subject] =
        level === 'provider_day'
          ? ['provider_budgets', 'provider', provider]
          : ['budgets', `level = 'tenant_month' and subject`, before.facts.tenantId]
      await superuser(`update ${table} set limit_micro_usd = 9_999 where ${of} = $1`, [subject])
      const first = new Client({ connectionString: url })
      await first.connect()
      try {
        await first.query('begin; set local search_path = almanac')
        const { rows } = await first.query<{ outcome: string }>(
          'select outcome from hold_calls($1::hold_request[])',
          [toHoldRequests([ask(one)])],
        )
        expect(rows).toEqual([{ outcome: 'granted' }])
        const second = ledger.hold(ask(other))
        await expect
          .poll(async () => {
            const waiting = await superuser(`select from pg_stat_activity
              where datname = current_database() and wait_event_type = 'Lock'`)
            return waiting.length
          })
          .toBe(1)
        await first.query('commit')
        expect(await second).toMatchObject({ state: 'refused', left: 4_999 })
      } finally {
        await first.end()
      }
    },
  )

  it.each(['root', 'specification', 'tenant_day', 'tenant_month', 'provider_day'])(
    'of %s is named in the refusal',
    async (level) => {
      const run = await oneRun()
      const { tenantId, id, specificationId } = run.facts
      const limited = {
        root: [id, ''],
        specification: [specificationId, ''],
        tenant_day: [tenantId, new Date().toISOString().slice(0, 10)],
        tenant_month: [tenantId, new Date().toISOString().slice(0, 7)],
      }[level]
      if (limited)
        await superuser(
          `insert into budgets (tenant_id, level, subject, period, limit_micro_usd)
            values ($1, $2, $3, $4, 4000)`,
          [tenantId, level, ...limited],
        )
      else
        await superuser(
          `insert into provider_budgets (provider, day, limit_micro_usd)
            values ('costly', (now() at time zone 'utc')::date, 4000)`,
        )
      const provider = limited ? 'test' : 'costly'
      expect(await ledger.hold(holdRequest(run, workerId, { provider }))).toEqual({
        state: 'refused',
        level: level.replace('_', '/'),
        unit: 'micro-USD',
        needed: 5_000,
        left: 4_000,
        because: 'limit',
      })
      const held = Object.values(await budgets(run)).map(([amount]) => amount)
      expect(held.every((amount) => amount === 0)).toBe(true)
    },
  )

  it('holds whatever is held, settled, released and lost, in any order', async () => {
    const act = fc.record({
      call: fc.integer({ min: 1, max: 4 }),
      what: fc.constantFrom('hold', 'settle', 'release', 'unknown'),
      cost: fc.integer({ min: 0, max: 5_000 }),
    })
    const tenant = await testTenant(db)
    await fc.assert(
      fc.asyncProperty(fc.array(act, { minLength: 1, maxLength: 25 }), async (acts) => {
        const id = await queueRun(db, tenant, { test: true })
        await driver.admit(tenant.tenantId)
        const run = await driver.load(tenant.tenantId, id)
        const limit = { microUsd: 12_000, tokens: 1_000_000 }
        await Promise.all(
          acts.map(async ({ call, what, cost }) => {
            const callKey = `draft:${call}`
            if (what === 'hold')
              await ledger.hold(holdRequest(run, workerId, { callKey, runLimit: limit }))
            else if (what === 'settle')
              await ledger.settle(callRef(run, 1, callKey), settlement({ costMicroUsd: cost }))
            else await ledger[what](callRef(run, 1, callKey), 'test')
          }),
        )
        const [row] = await superuser(
          `select coalesce(sum(cost_micro_usd) filter (where state = 'settled'), 0)::int as spent,
            coalesce(sum(hold_micro_usd) filter (where state in ('open', 'unknown')), 0)::int as held,
            coalesce(max(b.held_micro_usd), 0)::int as counted_held,
            coalesce(max(b.spent_micro_usd), 0)::int as counted_spent
          from engine_calls c join budgets b on b.level = 'root' and b.subject = c.run_id
          where c.run_id = $1`,
          [id],
        )
        expect(row?.['counted_held']).toBe(row?.['held'])
        expect(row?.['counted_spent']).toBe(row?.['spent'])
        expect(Number(row?.['held']) + Number(row?.['spent'])).toBeLessThanOrEqual(12_000)
      }),
      { numRuns: 25 },
    )
  })
})

describe('what a mirror of the budgets refuses', () => {
  it('is refused as long as the budget is as it was, and looked at properly afterwards', async () => {
    const [one, other] = await runs(2)
    if (!one || !other) throw new Error('no runs')
    await ledger.hold(holdRequest(one, workerId))
    const told = {
      level: 'tenant/month',
      unit: 'micro-USD',
      needed: 5_000,
      left: 7,
      because: 'limit',
    } as const
    const by = await monthOf(one)
    const ask = (callKey: string) =>
      ledger.hold(holdRequest(other, workerId, { callKey, refusal: { ...told, by } }))
    expect(await ask('draft:1')).toEqual({ state: 'refused', ...told })
    await ledger.release(callRef(one), 'test')
    expect(await ask('draft:1')).toEqual({ state: 'granted', seq: 1 })
    await superuser(
      `update budgets set limit_micro_usd = 6_000, version = version + 1
        where tenant_id = $1 and level = 'tenant_month'`,
      [one.facts.tenantId],
    )
    expect(await ask('draft:2')).toEqual({ state: 'refused', ...told, left: 1_000 })
  })
})

describe('a connection that breaks in the middle of a statement', () => {
  /** Breaks the connection of `work` while it waits for a budget row of the run's tenant. */
  const broken = async (run: LoadedRun, work: () => Promise<unknown>): Promise<unknown> => {
    const blocker = new Client({ connectionString: url })
    await blocker.connect()
    try {
      await blocker.query('begin; set local search_path = almanac')
      await blocker.query('select from budgets where tenant_id = $1 for update', [
        run.facts.tenantId,
      ])
      const failing = work().catch((error: unknown) => error)
      for (;;) {
        const { rows } = await blocker.query(`select pg_terminate_backend(pid) from pg_stat_activity
          where datname = current_database() and wait_event_type = 'Lock'`)
        if (rows.length > 0) return await failing
      }
    } finally {
      await blocker.end()
    }
  }

  it('leaves nothing of a hold; asked again it is granted', async () => {
    const [before, run] = await runs(2)
    if (!before || !run) throw new Error('no runs')
    await ledger.hold(holdRequest(before, workerId))
    const error = await broken(run, () => ledger.hold(holdRequest(run, workerId)))
    expect(error).toMatchObject({ code: 'DATABASE_UNREACHABLE' })
    expect(await callState(run)).toBeUndefined()
    expect((await budgets(run))['tenant_month']).toEqual([5_000, 0, 0])
    expect(await ledger.hold(holdRequest(run, workerId))).toEqual({ state: 'granted', seq: 1 })
    expect((await budgets(run))['tenant_month']).toEqual([10_000, 0, 0])
  })

  it('leaves a call open that it was to settle; settled again it is charged once', async () => {
    const run = await oneRun()
    await ledger.hold(holdRequest(run, workerId))
    const error = await broken(run, () => ledger.settle(callRef(run), settlement()))
    expect(error).toMatchObject({ code: 'DATABASE_UNREACHABLE' })
    expect(await callState(run)).toBe('open')
    expect(await budgets(run)).toEqual(everywhere(5_000, 0))
    await ledger.settle(callRef(run), settlement())
    expect(await budgets(run)).toEqual(everywhere(0, 3_000))
  })
})

describe('an open call', () => {
  it('of a live worker is left to it', async () => {
    const run = await oneRun()
    await ledger.hold(holdRequest(run, workerId))
    expect(await ledger.hold(holdRequest(run, newId('worker')))).toEqual({ state: 'busy' })
    expect(await budgets(run)).toEqual(everywhere(5_000, 0))
  })

  it('asked for by many at once is granted to one', async () => {
    const run = await oneRun()
    const processes = Array.from({ length: 6 }, () => createLedger(db, plainCodec))
    const holds = await Promise.all(processes.map(({ hold }) => hold(holdRequest(run, workerId))))
    expect(holds.map(({ state }) => state).sort()).toEqual([
      ...Array.from({ length: 5 }, () => 'busy'),
      'granted',
    ])
  })

  it('asked for twice in one statement is granted once, and told of twice it ends once', async () => {
    const run = await oneRun()
    const twice = [1, 2].map(() => ledger.hold(holdRequest(run, workerId)))
    expect(await Promise.all(twice)).toEqual([{ state: 'granted', seq: 1 }, { state: 'busy' }])
    await Promise.all([
      ledger.unknown(callRef(run), 'timeout'),
      ledger.settle(callRef(run), settlement()),
      ledger.settle(callRef(run), settlement()),
    ])
    expect(await budgets(run)).toEqual(everywhere(0, 3_000))
  })

  it('is waited for by the equal request of another run, in one statement too', async () => {
    const [one, other] = await runs(2)
    if (!one || !other) throw new Error('no runs')
    const ask = (run: LoadedRun) =>
      ledger.hold(holdRequest(run, workerId, { reuse: true, requestHash: one.facts.id }))
    const holds = await Promise.all([ask(one), ask(other)])
    expect(holds.map(({ state }) => state).sort()).toEqual(['granted', 'in_flight'])
  })

  it('is claimed until it has ended', async () => {
    const run = await oneRun()
    const claims = () =>
      superuser('select call_key, seq, worker_id from call_claims where run_id = $1', [
        run.facts.id,
      ])
    await ledger.hold(holdRequest(run, workerId))
    expect(await claims()).toEqual([{ call_key: 'draft:1', seq: 1, worker_id: workerId }])
    await ledger.settle(callRef(run), settlement())
    expect(await claims()).toEqual([])
  })

  it('is of a run that there is', async () => {
    const run = await oneRun()
    await ledger.hold(holdRequest(run, workerId))
    await expect(
      superuser(
        `insert into engine_calls select (jsonb_populate_record(c, jsonb_build_object('run_id', $2::text))).*
          from engine_calls c where run_id = $1`,
        [run.facts.id, newId('run')],
      ),
    ).rejects.toMatchObject({ code: '23503' })
  })

  it('of a dead worker becomes unknown, its hold stays, and the next send may start', async () => {
    const run = await oneRun()
    await ledger.hold(holdRequest(run, dead))
    expect(await ledger.hold(holdRequest(run, workerId))).toEqual({ state: 'granted', seq: 2 })
    expect(await callState(run, 1)).toBe('unknown')
    expect(await budgets(run)).toEqual(everywhere(10_000, 0))
  })

  it('of an attempt that has ended is not waited for', async () => {
    const run = await oneRun()
    const { tenantId, id } = run.facts
    await ledger.hold(holdRequest(run, workerId, { stage: run.nextStage }))
    const failure = { type: 'run.stage_failed' as const }
    const data = { stage: run.nextStage, try: 1, code: 'STAGE_FAILED', retryAt: '' }
    await ports.commitStage({
      tenantId,
      runId: id,
      epoch: run.epoch,
      stage: run.nextStage,
      workerId,
      output: null,
      durationMs: 1,
      move: { to: 'again', delayMs: 0, code: 'STAGE_FAILED' },
      events: [{ ...failure, data }],
      conclusion: null,
    })
    expect(await ledger.hold(holdRequest(run, workerId))).toEqual({ state: 'granted', seq: 2 })
  })

  it('of an earlier epoch is not waited for', async () => {
    const run = await oneRun()
    await ledger.hold(holdRequest(run, workerId))
    await superuser('update runs set epoch = epoch + 1 where id = $1', [run.facts.id])
    const resumed = { ...run, epoch: run.epoch + 1 }
    expect(await ledger.hold(holdRequest(resumed, workerId))).toEqual({ state: 'granted', seq: 2 })
  })
})

describe('stopped spending', () => {
  const asOperator = <T>(work: Parameters<typeof db.withSystem<T>>[1]) =>
    db.withSystem('operators', work)
  const scopes: [string, (run: LoadedRun) => StopScope][] = [
    ['all', () => ({ scope: 'all' })],
    ['its tenant', ({ facts }) => ({ scope: 'tenant', tenantId: facts.tenantId })],
    ['its tenant by itself', ({ facts }) => ({ scope: 'own', tenantId: facts.tenantId })],
    ['its provider', () => ({ scope: 'provider', provider: 'test' })],
  ]

  it.each(scopes)('of %s lets no hold begin, in a group with others too', async (name, of) => {
    const [run, answered, open] = await runs(3)
    if (!run || !answered || !open) throw new Error('no runs')
    const elsewhere = await oneRun()
    await ledger.hold(holdRequest(answered, workerId))
    await ledger.settle(callRef(answered), settlement({ outputHash: 'abc' }))
    await ledger.hold(holdRequest(open, workerId))
    const before = await budgets(open)
    const stop = of(run)
    await asOperator((trx) => stopSpending(trx, stop, 'ops', 'a test'))
    try {
      const unpaid = { estimate: { microUsd: 0, tokens: 0 }, callKey: 'draft:2' }
      const refusal = {
        level: 'tenant/month',
        unit: 'tokens',
        needed: 1,
        left: 0,
        because: 'limit',
      } as const
      const by = await monthOf(run)
      const asked = [
        holdRequest(run, workerId),
        holdRequest(run, workerId, unpaid),
        holdRequest(answered, workerId),
        holdRequest(open, workerId),
        holdRequest(run, workerId, { callKey: 'draft:3', refusal: { ...refusal, by } }),
        holdRequest(elsewhere, workerId, { provider: 'another' }),
      ]
      const holds = await Promise.all(asked.map(ledger.hold))
      expect(holds).toEqual([
        { state: 'stopped' },
        { state: 'stopped' },
        { state: 'settled', seq: 1, outputHash: 'abc' },
        { state: 'busy' },
        { state: 'refused', ...refusal },
        name === 'all' ? { state: 'stopped' } : { state: 'granted', seq: 1 },
      ])
      expect(await callState(run)).toBeUndefined()
      expect(await budgets(open)).toEqual(before)
      // What is under way ends as it ends.
      await ledger.settle(callRef(open), settlement())
      expect(await callState(open)).toBe('settled')
    } finally {
      await asOperator((trx) => resumeSpending(trx, stop, 'ops'))
    }
    expect(await ledger.hold(holdRequest(run, workerId))).toEqual({ state: 'granted', seq: 1 })
  })

  it('by the provider itself lets no hold begin, and then the probe’s run alone', async () => {
    const [probe, other] = await runs(2)
    if (!probe || !other) throw new Error('no runs')
    const provider = 'unpaid'
    const ask = (run: LoadedRun) => ledger.hold(holdRequest(run, workerId, { provider }))
    const gate = createSpendGate(db)
    await gate.billingStopped(provider, 'insufficient_quota')
    expect(await ask(probe)).toEqual({ state: 'stopped' })
    await superuser(
      `update provider_circuits set state = 'half_open', probe_run_id = $1, probe_until = now()
        where provider = $2`,
      [probe.facts.id, provider],
    )
    expect(await ask(other)).toEqual({ state: 'stopped' })
    expect(await ask(probe)).toEqual({ state: 'granted', seq: 1 })
    await gate.probed({ provider, tenantId: probe.facts.tenantId, runId: probe.facts.id }, true)
    expect(await ask(other)).toEqual({ state: 'granted', seq: 1 })
  })
})

describe('a call of a run that the caller has lost', () => {
  it.each(['cancelling', 'failed'])('because it is %s is not granted', async (state) => {
    const run = await oneRun()
    await superuser('update runs set state = $2 where id = $1', [run.facts.id, state])
    expect(await ledger.hold(holdRequest(run, workerId))).toEqual({ state: 'busy' })
    expect(await callState(run)).toBeUndefined()
  })

  it('because it was taken over is not granted', async () => {
    const run = await oneRun()
    await superuser('update runs set epoch = epoch + 1 where id = $1', [run.facts.id])
    expect(await ledger.hold(holdRequest(run, workerId))).toEqual({ state: 'busy' })
  })
})

describe('an unknown call', () => {
  it('is settled by an answer that comes late', async () => {
    const run = await oneRun()
    await ledger.hold(holdRequest(run, workerId))
    await ledger.unknown(callRef(run), 'timeout')
    expect(await budgets(run)).toEqual(everywhere(5_000, 0))
    await ledger.settle(callRef(run), settlement())
    expect(await budgets(run)).toEqual(everywhere(0, 3_000))
  })

  it('is charged in full after a while, once, and audited', async () => {
    const run = await oneRun()
    await ledger.hold(holdRequest(run, workerId))
    await ledger.unknown(callRef(run), 'timeout')
    expect(await operations.sweep.chargeUnknown(60_000)).toBe(0)
    await superuser(
      `update engine_calls set unknown_at = now() - interval '2 minutes' where run_id = $1`,
      [run.facts.id],
    )
    const charged = await Promise.all([1, 2].map(() => operations.sweep.chargeUnknown(60_000)))
    expect(charged.sort()).toEqual([0, 1])
    expect(await budgets(run)).toEqual(everywhere(0, 5_000))
    await ledger.settle(callRef(run), settlement())
    expect(await budgets(run)).toEqual(everywhere(0, 5_000))
    const audit = await superuser<{ action: string; detail: string }>(
      'select action, detail from audit_events where subject = $1',
      [run.facts.id],
    )
    expect(audit).toEqual([
      {
        action: 'hold.charged',
        detail: '{"callKey":"draft:1","microUsd":5000,"seq":1,"tokens":100}',
      },
    ])
  })
})
