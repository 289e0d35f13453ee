import { events, type EventName } from '@almanac/domain'
import type { Access, Check, Findings } from './check.ts'

/** What state an event leaves its run in; the others leave it where it is. */
const stateAfter: Partial<Record<EventName, string>> = {
  'run.queued': 'queued',
  'run.started': 'running',
  'run.parked': 'parked',
  'run.cancelling': 'cancelling',
  'run.succeeded': 'succeeded',
  'run.failed': 'failed',
  'run.blocked': 'blocked',
  'run.cancelled': 'cancelled',
}

/** P5: a run's events are gapless, read as events, and end in the run's state. */
export const runEvents: Check = {
  promise: 'P5',
  name: 'the events of every run are gapless and end in its state',
  unit: 'run events',
  async run(access, findings) {
    await checkEach(access, findings)
    await checkStates(access, findings)
  },
}

interface EventRow {
  tenant_id: string
  run_id: string
  seq: number
  type: string
  data: unknown
  before: number
}

async function checkEach({ snapshot }: Access, findings: Findings): Promise<void> {
  const rows = snapshot.each<EventRow>(
    `select tenant_id, run_id, seq, type, data, coalesce(lag(seq) over
      (partition by tenant_id, run_id order by seq), 0) as before from run_events`,
  )
  for await (const { type, data, before, ...row } of rows) {
    findings.rows(1)
    if (row.seq !== before + 1)
      findings.problem('run_events', row, `it follows ${before || 'no event'}`)
    const schema = Object.hasOwn(events, type) ? events[type as EventName] : undefined
    if (!schema) findings.problem('run_events', row, `there is no event called ${type}`)
    else if (!schema.safeParse(data).success)
      findings.problem('run_events', row, `its data is not that of ${type}`)
  }
}

interface RunRow {
  tenant_id: string
  id: string
  state: string
  event_seq: number
  last: number | null
  last_type: string | null
  last_seq: number | null
}

async function checkStates({ snapshot }: Access, findings: Findings): Promise<void> {
  const rows = snapshot.each<RunRow>(
    `select r.tenant_id, r.id, r.state, r.event_seq, e.last, e.last_type, e.last_seq from runs r
      left join (
        select tenant_id, run_id, max(seq) as last,
          (array_agg(type order by seq desc) filter (where type = any ($1::text[])))[1] as last_type,
          max(seq) filter (where type = any ($1::text[])) as last_seq
        from run_events group by tenant_id, run_id
      ) as e on e.tenant_id = r.tenant_id and e.run_id = r.id
      where e.last is distinct from r.event_seq
        or r.state is distinct from ($2::jsonb ->> e.last_type)`,
    [Object.keys(stateAfter), JSON.stringify(stateAfter)],
  )
  for await (const { tenant_id, id, state, event_seq, last, last_type, last_seq } of rows) {
    if (last !== event_seq)
      findings.problem(
        'runs',
        { tenant_id, id },
        `it counts ${event_seq} events, and the last one stored is ${last ?? 'none'}`,
      )
    if (last_type === null || last_seq === null)
      findings.problem('runs', { tenant_id, id }, `it is ${state}, and no event says so`)
    else if (stateAfter[last_type as EventName] !== state)
      findings.problem(
        'run_events',
        { tenant_id, run_id: id, seq: last_seq },
        `it says ${last_type}, and the run is ${state}`,
      )
  }
}
