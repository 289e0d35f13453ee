import {
  generationWaitMs,
  type StageControls,
  type StageJob,
  type SweepStore,
  type VariantSweep,
} from '@almanac/pipeline'
import type { QueueBackend } from '@almanac/queue'
import type { Log } from '../log.ts'
import { variantJobOf } from '../bind-variants.ts'
import type { LeaderLoopWork } from '../loop.ts'
import { pausedStages, variantsPaused } from '../stage-controls.ts'

export interface SweepPorts {
  sweep: SweepStore
  variants: Pick<VariantSweep, 'stuck' | 'keepWaiting' | 'releaseBooked'>
  controls: StageControls
  backend: Pick<QueueBackend, 'add' | 'missing'>
  log: Log
  wakeAdmit(): void
  /** A monotonic clock in milliseconds. */
  monotonic?: () => number
}

/** A running run without progress for so long may have lost its job. */
const idleMs = 5_000
/** An answer that was lost so long ago is charged as if it had come. */
const unknownMs = 15 * 60_000
const partitionsEveryMs = 3_600_000
const monthsAhead = 3

/**
 * Puts right what dead workers, lost jobs and passing time leave behind. Each duty stands alone:
 * one that fails is logged, and the others are done all the same.
 */
export function sweep(ports: SweepPorts): LeaderLoopWork {
  const { sweep: store, variants, controls, backend, log, wakeAdmit } = ports
  const monotonic = ports.monotonic ?? (() => performance.now())
  let partitionsDueAt = -Infinity

  const enqueue = async (jobs: readonly StageJob[]): Promise<void> => {
    if (jobs.length > 0) await backend.add(jobs)
  }
  const makeRoom = async (moved: Promise<number>): Promise<void> => {
    if ((await moved) > 0) wakeAdmit()
  }
  const duties: Record<string, () => Promise<unknown>> = {
    takeOver: async () => enqueue(await store.takeOver()),
    readd: async () => {
      const stuck = await store.stuck(idleMs, pausedStages(await controls.read()))
      // Those that only wait for a free worker are in the queue already.
      if (stuck.length > 0) await enqueue(await backend.missing(stuck))
    },
    readdVariants: async () => {
      if (variantsPaused(await controls.read())) return variants.keepWaiting(generationWaitMs)
      const stuck = (await variants.stuck(idleMs)).map(variantJobOf)
      if (stuck.length > 0) await enqueue(await backend.missing(stuck))
    },
    releaseBooked: () => variants.releaseBooked(),
    wake: () => makeRoom(store.wake()),
    wakeStopped: () => makeRoom(store.wakeStopped()),
    finishCancelled: () => makeRoom(store.finishCancelled()),
    expireQueued: () => store.expireQueued(),
    remindCheckpoints: () => store.remindCheckpoints(),
    // A run that waits is woken at the same instant: whichever comes first, it goes on.
    expireCheckpoints: () => makeRoom(store.expireCheckpoints()),
    tellBudgets: () => store.tellBudgets(),
    chargeUnknown: () => store.chargeUnknown(unknownMs),
    ensurePartitions: async () => {
      if (monotonic() < partitionsDueAt) return
      await store.ensurePartitions(monthsAhead)
      partitionsDueAt = monotonic() + partitionsEveryMs
    },
  }

  return {
    name: 'sweep',
    everyMs: 2_000,
    pass: async (signal) => {
      const failures: [string, unknown][] = []
      for (const [duty, run] of Object.entries(duties)) {
        if (signal.aborted) return false
        await run().catch((cause: unknown) => failures.push([duty, cause]))
      }
      // When all of them fail it is the database, and the loop itself says so.
      if (failures.length === Object.keys(duties).length) throw failures[0]?.[1]
      for (const [duty, cause] of failures)
        log.warn({ loop: 'sweep', duty, cause }, 'a duty of the sweep failed; it is tried again')
      return false
    },
  }
}
