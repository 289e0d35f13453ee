import { z } from 'zod'
import type { Access, Check, Findings } from './check.ts'
import { parseJson } from './parse-json.ts'

/** P1: successes and used slots are one to one, and every slot beyond the plan was granted. */
export const successes: Check = {
  promise: 'P1',
  name: 'every period has at most one success',
  unit: 'successes and slots',
  async run(access, findings) {
    const [counted] = await access.snapshot.query<{ rows: number }>(
      `select (select count(*) from slots)
        + (select count(*) from runs where state = 'succeeded' and not test) as rows`,
    )
    findings.rows(counted?.rows ?? 0)
    await checkHolders(access, findings)
    await checkSuccesses(access, findings)
    await checkPeriods(access, findings)
    await checkGrants(access, findings)
  },
}

interface Slot {
  tenant_id: string
  specification_id: string
  period_key: string
  ordinal: number
}

const slotKey = ({ tenant_id, specification_id, period_key, ordinal }: Slot) => ({
  tenant_id,
  specification_id,
  period_key,
  ordinal,
})

/** The run that a slot names is of that slot; it succeeded if the slot is used, and is not over if not. */
async function checkHolders({ snapshot }: Access, findings: Findings): Promise<void> {
  const rows = snapshot.each<Slot & { state: string; run_id: string; run_state: string | null }>(
    `select s.tenant_id, s.specification_id, s.period_key, s.ordinal, s.state, s.run_id,
        r.state as run_state
      from slots s left join runs r on r.tenant_id = s.tenant_id and r.id = s.run_id
      where s.run_id is not null and (r.id is null or r.test
        or r.specification_id <> s.specification_id
        or s.state = 'consumed' and (r.state <> 'succeeded'
          or (r.period_key, r.ordinal) is distinct from (s.period_key, s.ordinal))
        or s.state = 'reserved' and r.state in ('succeeded', 'failed', 'blocked', 'cancelled'))`,
  )
  for await (const { state, run_id, run_state, ...slot } of rows) {
    const what =
      run_state === null
        ? `it is ${state} by ${run_id}, and there is no such run`
        : `it is ${state} by ${run_id}, a run that ${runThat(state, run_state)}`
    findings.problem('slots', slotKey(slot), what)
  }
  const twice = snapshot.each<{ tenant_id: string; run_id: string; slots: number }>(
    `select tenant_id, run_id, count(*) as slots from slots where run_id is not null
      group by tenant_id, run_id having count(*) > 1`,
  )
  for await (const { slots, ...run } of twice)
    findings.problem('slots', run, `${slots} slots name this run`)
}

const runThat = (slot: string, run: string): string =>
  (slot === 'consumed') === (run === 'succeeded')
    ? 'is of another specification, period or ordinal, or a test'
    : `is ${run}`

/** Every success that takes a period has used its slot; only those on demand take none. */
async function checkSuccesses({ snapshot }: Access, findings: Findings): Promise<void> {
  const rows = snapshot.each<Slot & { run_id: string; slot_state: string | null; cadence: string }>(
    `select r.tenant_id, r.specification_id, r.period_key, r.ordinal, r.id as run_id,
        s.state as slot_state, v.cadence
      from runs r
      left join slots s on s.tenant_id = r.tenant_id and s.specification_id = r.specification_id
        and s.period_key = r.period_key and s.ordinal = r.ordinal
      left join specification_revisions v on v.tenant_id = r.tenant_id
        and v.specification_id = r.specification_id and v.revision = r.revision
      where r.state = 'succeeded' and not r.test and case when r.period_key is null
        then v.cadence is distinct from 'on_demand'
        else (s.state, s.run_id) is distinct from ('consumed', r.id) end`,
  )
  for await (const { run_id, slot_state, cadence, ...slot } of rows) {
    if (slot.period_key === null)
      findings.problem(
        'runs',
        { tenant_id: slot.tenant_id, id: run_id },
        `it succeeded under a ${cadence} specification and has no period`,
      )
    else if (slot_state === null)
      findings.problem('slots', slotKey(slot), `${run_id} succeeded for it, and it does not exist`)
    else
      findings.problem(
        'slots',
        slotKey(slot),
        `${run_id} succeeded for it, and it is ${slot_state} without that run`,
      )
  }
}

async function checkPeriods({ snapshot }: Access, findings: Findings): Promise<void> {
  const rows = snapshot.each<Slot & { runs: string[] }>(
    `select tenant_id, specification_id, period_key, ordinal, array_agg(id::text order by id) as runs
      from runs where state = 'succeeded' and not test and period_key is not null
      group by tenant_id, specification_id, period_key, ordinal having count(*) > 1`,
  )
  for await (const { runs, ...slot } of rows)
    findings.problem('slots', slotKey(slot), `it has ${runs.length} successes: ${runs.join(', ')}`)
}

const grant = z.object({ periodKey: z.string(), ordinal: z.int() })

/** The grant of a slot is in the audit, under its specification. */
async function checkGrants({ snapshot }: Access, findings: Findings): Promise<void> {
  const rows = snapshot.each<Slot & { details: string[] }>(
    `select s.tenant_id, s.specification_id, s.period_key, s.ordinal,
        coalesce(array_agg(e.detail) filter (where e.detail is not null), '{}') as details
      from slots s left join audit_events e on e.tenant_id = s.tenant_id
        and e.action = 'slot.granted' and e.subject = s.specification_id
      where s.ordinal > 0
      group by s.tenant_id, s.specification_id, s.period_key, s.ordinal`,
  )
  for await (const { details, ...slot } of rows) {
    const granted = details.some((detail) => {
      const { data } = grant.safeParse(parseJson(detail))
      return data?.periodKey === slot.period_key && data.ordinal === slot.ordinal
    })
    if (!granted) findings.problem('slots', slotKey(slot), 'the audit has no grant of it')
  }
}
