import { AlmanacError } from '@almanac/domain'
import { nextEligible, periodFor } from '@almanac/domain/cadence'
import { claimed, retrieved } from '../outputs.ts'
import type { Ports } from '../ports.ts'
import { defineStage, Park } from '../stage.ts'

/** Claims the period for this run; only a success will use it up. */
export const cadence = defineStage({
  name: 'cadence',
  tries: 3,
  timeoutMs: 10_000,
  input: { retrieve: retrieved },
  output: claimed,
  run: async (
    { run },
    {
      specifications,
      slots,
      industries,
      clock,
    }: Pick<Ports, 'specifications' | 'slots' | 'industries' | 'clock'>,
  ) => {
    const { body } = await specifications.bound(run)
    const lookBackDays =
      body.kind === 'report' ? industries.get(body.industry, body.industryVersion).lookBackDays : 7
    const period = periodFor(body, { ...run, lookBackDays, now: clock.now() })
    const output = {
      kind: body.cadence,
      periodKey: period.periodKey,
      ordinal: run.ordinal,
      from: period.from,
      to: period.to,
      timeZone: body.timeZone,
    }
    if (run.test || period.periodKey === null) return output

    const { periodKey, from, to } = period
    const claim = await slots.claim({
      run,
      periodKey,
      from,
      to,
      cadence: body.cadence,
      timeZone: body.timeZone,
    })
    if (claim.claimed) return output
    if (claim.because === 'covered')
      throw new AlmanacError('CADENCE_WINDOW_COVERED', {
        periodKey,
        by: claim.by,
        until: claim.until,
      })
    const because = {
      periodKey,
      run: claim.by,
      nextEligibleAt: nextEligible(body, periodKey),
      timeZone: body.timeZone,
    }
    if (claim.because === 'taken') throw new AlmanacError('CADENCE_SLOT_TAKEN', because)
    if (run.onConflict !== 'wait') throw new AlmanacError('CADENCE_IN_PROGRESS', because)
    const wakeAt = run.deadlineAt
      ? new Date(run.deadlineAt)
      : new Date(clock.now().getTime() + 86_400_000)
    return new Park('slot', wakeAt)
  },
})
