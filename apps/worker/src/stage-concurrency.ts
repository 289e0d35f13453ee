import type { ControlName } from '@almanac/pipeline'

/** How many jobs of each stage, and how many variants of refinements, a process runs at once. */
export type StageConcurrency = Record<ControlName, number>

/** Stages that run no more jobs at once than these, as those must that wait for an engine. */
export type StageLimits = Partial<StageConcurrency>

/**
 * For two cores and a queue in Postgres. `execute` and variants wait for an engine most of their
 * time and may be many; the others wait for the database. Runs come into a process by `retrieve`, and from
 * then on take no places of the queue's.
 */
export const defaultConcurrency: StageConcurrency = {
  retrieve: 16,
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

/** How a stage takes its jobs; one that is not limited also takes those of runs that are here already. */
export const placesOf = (
  name: ControlName,
  limits: StageLimits,
): { concurrency: number; limited: boolean } => ({
  concurrency: limits[name] ?? defaultConcurrency[name],
  limited: limits[name] !== undefined,
})
