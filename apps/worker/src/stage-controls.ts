import type { StageName } from '@almanac/domain'
import type { ControlName, StageControl, StageControls } from '@almanac/pipeline'
import type { StageWorker } from '@almanac/queue'
import type { StageWorkers } from './bind-stages.ts'
import type { LoopWork } from './loop.ts'
import type { StageConcurrency } from './stage-concurrency.ts'

/** The workers that obey controls: one a stage, and that of the variants. */
export type ControlledWorkers = ReadonlyMap<ControlName, StageWorker>

/** The stages that take no jobs. */
export const pausedStages = (controls: readonly StageControl[]): StageName[] =>
  controls.flatMap(({ stage, paused }) => (paused && stage !== 'variant' ? [stage] : []))

/** Variants are the work of their stage: who pauses `refine` wants them to stop too. */
export const variantsPaused = (controls: readonly StageControl[]): boolean =>
  controls.some(({ stage, paused }) => paused && (stage === 'variant' || stage === 'refine'))

/**
 * Makes this process's workers do what the `stage_controls` rows say; a stage without a row works
 * with its default. A control that was obeyed before changes nothing.
 */
export function applyStageControls(
  controls: readonly StageControl[],
  workers: ControlledWorkers,
  defaults: StageConcurrency,
): void {
  const byStage = new Map(controls.map((control) => [control.stage, control]))
  for (const [stage, worker] of workers) {
    const own = byStage.get(stage)
    const paused = stage === 'variant' ? variantsPaused(controls) : own?.paused === true
    const wanted = Math.max(1, own?.concurrency ?? defaults[stage])
    if (worker.concurrency !== wanted) worker.setConcurrency(wanted)
    if (paused && !worker.paused) worker.pause()
    if (!paused && worker.paused) worker.resume()
  }
}

/** Applies the controls every second. */
export const watchControls = (
  controls: StageControls,
  workers: ControlledWorkers,
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
