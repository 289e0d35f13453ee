import type { StageName } from '@almanac/domain'
import type { ControlName, StageControl, StageControls } from '@almanac/pipeline'
import type { StageWorker } from '@almanac/queue'
import type { StageWorkers } from './bind-stages.ts'
import type { LoopWork } from './loop.ts'
import { placesOf, type StageLimits } from './stage-concurrency.ts'

/** The workers that obey controls: one a stage, and that of the variants. */
export type ControlledWorkers = ReadonlyMap<ControlName, StageWorker>

/** The stages that take no jobs. */
export const pausedStages = (controls: readonly StageControl[]): StageName[] =>
  controls.flatMap(({ stage, paused }) => (paused && stage !== 'variant' ? [stage] : []))

/** Variants are the work of their stage: who pauses `refine` wants them to stop too. */
export const variantsPaused = (controls: readonly StageControl[]): boolean =>
  controls.some(({ stage, paused }) => paused && (stage === 'variant' || stage === 'refine'))

/**
 * Makes this process's workers do what the `stage_controls` rows say; a stage without a row works within
 * the limit that it was started with, or its default. A control that was obeyed before changes nothing.
 */
export function applyStageControls(
  controls: readonly StageControl[],
  workers: ControlledWorkers,
  limits: StageLimits,
): void {
  const byStage = new Map(controls.map((control) => [control.stage, control]))
  for (const [stage, worker] of workers) {
    const own = byStage.get(stage)
    const paused = stage === 'variant' ? variantsPaused(controls) : own?.paused === true
    const limit = own?.concurrency
    const { concurrency, limited } = placesOf(
      stage,
      typeof limit === 'number' ? { [stage]: Math.max(1, limit) } : limits,
    )
    if (worker.concurrency !== concurrency || worker.limited !== limited)
      worker.setConcurrency(concurrency, { limited })
    if (paused && !worker.paused) worker.pause()
    if (!paused && worker.paused) worker.resume()
  }
}

/** Applies the controls every second. */
export const watchControls = (
  controls: StageControls,
  workers: ControlledWorkers,
  limits: StageLimits,
): LoopWork => ({
  name: 'controls',
  everyMs: 1_000,
  pass: async () => {
    applyStageControls(await controls.read(), workers, limits)
    return false
  },
})

/** How many jobs this process can run at once, without the paused stages. */
export const capacityOf = (workers: StageWorkers): number =>
  [...workers.values()].reduce(
    (sum, { paused, concurrency }) => sum + (paused ? 0 : concurrency),
    0,
  )
