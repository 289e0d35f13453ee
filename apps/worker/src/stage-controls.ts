import type { StageControl, StageControls } from '@almanac/pipeline'
import type { StageWorkers } from './bind-stages.ts'
import type { LoopWork } from './loop.ts'
import type { StageConcurrency } from './stage-concurrency.ts'

/**
 * Makes this process's workers do what the `stage_controls` rows say; a stage without a row works
 * with its default. A control that was obeyed before changes nothing.
 */
export function applyStageControls(
  controls: readonly StageControl[],
  workers: StageWorkers,
  defaults: StageConcurrency,
): void {
  const byStage = new Map(controls.map((control) => [control.stage, control]))
  for (const [stage, worker] of workers) {
    const { paused = false, concurrency = null } = byStage.get(stage) ?? {}
    const wanted = Math.max(1, concurrency ?? defaults[stage])
    if (worker.concurrency !== wanted) worker.setConcurrency(wanted)
    if (paused && !worker.paused) worker.pause()
    if (!paused && worker.paused) worker.resume()
  }
}

/** Applies the controls every second. */
export const watchControls = (
  controls: StageControls,
  workers: StageWorkers,
  defaults: StageConcurrency,
): LoopWork => ({
  name: 'controls',
  everyMs: 1_000,
  pass: async () => {
    applyStageControls(await controls.read(), workers, defaults)
    return false
  },
})

/** How many jobs this process can run at once, without the paused stages. */
export const capacityOf = (workers: StageWorkers): number =>
  [...workers.values()].reduce(
    (sum, { paused, concurrency }) => sum + (paused ? 0 : concurrency),
    0,
  )
