import type { Outcome } from '@almanac/pipeline'
import type { LogEntry } from '@almanac/simulator'
import { expect } from 'vitest'
import type { FaultRow, RunEnd } from './fault-table.ts'
import { microUsdOf } from './watched-engine.ts'

/** What became of one call's money. */
export interface Money {
  state: RunEnd['holds'][number]
  heldMicroUsd: number
  costMicroUsd: number | null
}

/** What a backend has seen of a row. */
export interface Seen {
  outcomes: readonly Outcome[]
  state: string
  code: string | undefined
  parkReason: string | undefined
  slot: string
  money: readonly Money[]
  delays: readonly number[]
  requests: readonly LogEntry[]
}

/** Holds what was seen against the row: every column, and what the provider bills for it. */
export function judgeRow(row: FaultRow, seen: Seen, end: RunEnd): void {
  const { outcomes, money, requests } = seen
  expect(outcomes[0]).toMatchObject(row.outcome)
  expect({
    state: seen.state,
    code: seen.code,
    parkReason: seen.parkReason,
    slot: seen.slot,
    calls: requests.length,
    holds: money.map(({ state }) => state),
    delays: seen.delays,
  }).toEqual({ code: undefined, parkReason: undefined, ...end, delays: row.delays })

  const overruns = money.map(({ heldMicroUsd, costMicroUsd }) => (costMicroUsd ?? 0) > heldMicroUsd)
  expect(overruns).toEqual(money.map(() => row.overrun === true))
  if (row.billsUnseen) return
  // What the provider bills is never above what is settled or still held.
  const billed = requests.flatMap((entry) => entry.billed ?? []).map(microUsdOf)
  const kept = money.map(({ state, heldMicroUsd, costMicroUsd }) =>
    state === 'unknown' ? heldMicroUsd : (costMicroUsd ?? 0),
  )
  expect(sum(billed)).toBeLessThanOrEqual(sum(kept))
}

const sum = (values: readonly number[]): number => values.reduce((total, one) => total + one, 0)
