import type { StageName } from '@almanac/domain'

/** How many jobs of each stage a process runs at once. */
export type StageConcurrency = Record<StageName, number>

/** Small numbers for two cores; `execute` waits for an engine most of its time and may be many. */
export const defaultConcurrency: StageConcurrency = {
  retrieve: 4,
  cadence: 4,
  assemble: 3,
  execute: 16,
  validate: 3,
  refine: 3,
  evaluate: 3,
  export: 3,
  persist: 4,
  deliver: 2,
}
