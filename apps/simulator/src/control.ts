import { parse } from '@almanac/domain'
import type { FaultRuleInput, StandingRule } from './faults/fault-book.ts'
import { settings as settingsSchema, type Settings } from './settings.ts'
import type { Simulation } from './simulation.ts'
import type { z } from 'zod'

/** What can be changed, as it is written: each given setting replaces the whole of that setting. */
export type SettingsChange = Partial<z.input<typeof settingsSchema>>

/** The handle on a running simulator; the routes under /_control do the same over HTTP. */
export interface Control {
  /** Adds faults for coming requests. Throws INPUT_INVALID. */
  addFaults: (...rules: FaultRuleInput[]) => StandingRule[]
  faults: () => StandingRule[]
  /** Takes out one fault, or all of them; returns how many. */
  removeFaults: (id?: string) => number
  settings: () => Settings
  /** Changes settings; new limits begin with full buckets. Throws INPUT_INVALID. */
  change: (change: SettingsChange) => Settings
}

export function createControl(simulation: Simulation): Control {
  const { faults, limiter } = simulation
  return {
    addFaults: (...rules) => faults.add(...rules),
    faults: () => faults.list(),
    removeFaults: (id) => faults.remove(id),
    settings: () => simulation.settings,
    change(change) {
      const changed = parse(settingsSchema, { ...simulation.settings, ...change })
      simulation.settings = changed
      if (change.limits !== undefined) limiter.setLimits(changed.limits)
      faults.setProbabilities(changed.probabilities)
      return changed
    },
  }
}
