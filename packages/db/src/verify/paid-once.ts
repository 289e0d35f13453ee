import type { Check } from './check.ts'

interface Row {
  tenant_id: string
  run_id: string
  call_key: string
  seq: number
  before_seq: number | null
  before_state: string | null
}

interface Claimed {
  tenant_id: string
  run_id: string
  call_key: string
  seq: number
  state: string | null
}

/** P10: a call is sent again only when the answer of the send before was lost, or not billed. */
export const paidOnce: Check = {
  promise: 'P10',
  name: 'no call was sent again while its answer was known or under way',
  unit: 'engine calls',
  async run({ snapshot }, findings) {
    const [counted] = await snapshot.query<{ rows: number; again: number }>(
      'select count(*) as rows, count(*) filter (where seq > 1) as again from engine_calls',
    )
    findings.rows(counted?.rows ?? 0)
    if (counted?.again) findings.note(`${counted.again} sent again after a lost answer`)
    // A send that settled after the next one began was given up as lost when that one began.
    const rows = snapshot.each<Row>(
      `select tenant_id, run_id, call_key, seq, before_seq, before_state from (
        select c.*, lag(seq) over call as before_seq, lag(state) over call as before_state,
          lag(output_hash) over call as before_hash, lag(closed_at) over call as before_closed
        from engine_calls c window call as (partition by tenant_id, run_id, call_key order by seq)
      ) as sent where seq <> coalesce(before_seq, 0) + 1 or before_state = 'open'
        or before_state = 'settled' and before_hash is not null and before_closed < opened_at`,
    )
    for await (const { before_seq, before_state, ...call } of rows) {
      const what =
        call.seq === (before_seq ?? 0) + 1
          ? `it was sent although the send before it is ${before_state}`
          : `the send before it is missing`
      findings.problem('engine_calls', call, what)
    }
    const claims = snapshot.each<Claimed>(
      `select tenant_id, run_id, call_key, seq, c.state
        from engine_calls c full join call_claims k using (tenant_id, run_id, call_key, seq)
        where (coalesce(c.state, '') in ('open', 'booked')) <> (k.opened_at is not null)`,
    )
    for await (const { state, ...call } of claims) {
      if (state === null)
        findings.problem('call_claims', call, 'the call that it claims is missing')
      else if (state === 'open' || state === 'booked')
        findings.problem('engine_calls', call, `it is ${state}, but nobody claims it`)
      else
        findings.problem(
          'call_claims',
          call,
          `its call is ${state}, so that nobody can send it again`,
        )
    }
  },
}
