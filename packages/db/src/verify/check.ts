import type { Snapshot } from './snapshot.ts'
import type { Codec } from '../codec.ts'
import type { Database } from '../pool.ts'

/** The promises of docs/architecture.md that stored rows can bear out or belie. */
export type PromiseId = 'P1' | 'P2' | 'P3' | 'P4' | 'P5' | 'P6' | 'P7' | 'P10'

/** A row that is not as it must be: where it stands, and what is wrong with it. */
export interface Problem {
  /** Null when it is no row: a check that could not be made. */
  table: string | null
  /** The columns that find the row. */
  row: RowKey
  what: string
}

export type RowKey = Record<string, string | number>

/** What one check looked at and found. */
export interface CheckResult {
  promise: PromiseId
  /** What holds when there are no problems. */
  name: string
  /** How many rows were looked at, of what. */
  rows: number
  unit: string
  /** All problems, and the first of them. */
  problemCount: number
  problems: Problem[]
  /** What a reader should know although it is no problem. */
  notes: string[]
}

/** Where a check puts what it finds. */
export interface Findings {
  rows(count: number): void
  problem(table: string, row: RowKey, what: string): void
  note(text: string): void
}

/** What checks read with: no check writes. */
export interface Access {
  db: Database
  /** Everything but content, as it was at one instant. */
  snapshot: Snapshot
  codec: Codec
  rebuild: Rebuild
}

/** A stored engine call with everything that its request was made from. */
export interface StoredCall {
  provider: string
  model: string
  /** Canonical JSON of the run package and of the call. */
  packageText: string
  callText: string
  /** The contents that the call's hashes name, in their order. */
  inputs: readonly string[]
}

/** Makes the body of a call's request anew; undefined when the engine that made it is not here. */
export type Rebuild = (call: StoredCall) => string | undefined

export interface Check {
  promise: PromiseId
  name: string
  unit: string
  run(access: Access, findings: Findings): Promise<void>
}

/** Problems of a check that are told one by one; the rest is counted. */
const mostProblems = 100

/** Collects what a check finds, with bounded memory; `seen` hears of every row that was looked at. */
export function collectFindings(
  { promise, name, unit }: Check,
  seen: (rows: number) => void,
): { findings: Findings; result: CheckResult } {
  const result: CheckResult = {
    ...{ promise, name, unit },
    ...{ rows: 0, problemCount: 0, problems: [], notes: [] },
  }
  return {
    result,
    findings: {
      rows(count) {
        result.rows += count
        seen(result.rows)
      },
      problem(table, row, what) {
        result.problemCount += 1
        if (result.problems.length < mostProblems) result.problems.push({ table, row, what })
      },
      note: (text) => result.notes.push(text),
    },
  }
}
