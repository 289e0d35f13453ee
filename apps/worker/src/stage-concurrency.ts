import type { ControlName } from '@almanac/pipeline'

/** How many jobs of each stage, and how many variants of refinements, a process runs at once. */
export type StageConcurrency = Record<ControlName, number>

/**
 * For two cores and a queue in Postgres. `execute` and variants wait for an engine most of their
 * time and may be many; the others wait for the database, and with a queue in Redis 16 of each are faster.
 */
export const defaultConcurrency: StageConcurrency = {
  retrieve: 4,
  cadence: 4,
  assemble: 4,
  execute: 16,
  validate: 4,
  refine: 4,
  evaluate: 4,
  export: 4,
  persist: 4,
  deliver: 2,
  variant: 16,
}
