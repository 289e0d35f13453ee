import type { ControlName } from '@almanac/pipeline'
import type { StageWorker } from '@almanac/queue'
import { describe, expect, it } from 'vitest'
import { defaultConcurrency, placesOf } from './stage-concurrency.ts'
import { applyStageControls, capacityOf } from './stage-controls.ts'

function workers<N extends ControlName>(stages: N[]) {
  const calls: string[] = []
  const make = (stage: N): [N, StageWorker] => {
    const worker = {
      stage,
      active: 0,
      paused: false,
      ...placesOf(stage, {}),
      pause: () => {
        calls.push(`pause ${stage}`)
        worker.paused = true
      },
      resume: () => {
        calls.push(`resume ${stage}`)
        worker.paused = false
      },
      setConcurrency: (next: number, { limited }: { limited: boolean }) => {
        calls.push(`${stage} ${next}`)
        Object.assign(worker, { concurrency: next, limited })
      },
      offer: () => false,
      close: () => Promise.resolve(),
    }
    return [stage, worker]
  }
  return { calls, map: new Map(stages.map(make)) }
}

describe('stage controls', () => {
  it('are applied, once each, and undone when their rows go', () => {
    const { calls, map } = workers(['assemble', 'execute'])
    const rows = [
      { stage: 'assemble', paused: true, concurrency: null },
      { stage: 'execute', paused: false, concurrency: 5 },
    ] as const
    applyStageControls(rows, map, {})
    applyStageControls(rows, map, {})
    expect(calls.splice(0)).toEqual(['pause assemble', 'execute 5'])
    expect(capacityOf(map)).toBe(5)
    applyStageControls([], map, {})
    expect(calls).toEqual(['resume assemble', 'execute 16'])
    expect(capacityOf(map)).toBe(16 + defaultConcurrency.assemble)
  })

  it('pause variants with the stage that they belong to, or alone', () => {
    const { calls, map } = workers(['refine', 'variant'])
    const pause = (stage: 'refine' | 'variant') => {
      applyStageControls([{ stage, paused: true, concurrency: null }], map, {})
      return calls.splice(0)
    }
    expect(pause('refine')).toEqual(['pause refine', 'pause variant'])
    expect(pause('variant')).toEqual(['resume refine'])
    applyStageControls([], map, {})
    expect(calls).toEqual(['resume variant'])
  })

  it('limit variants by a row of their own, not by that of their stage', () => {
    const { calls, map } = workers(['refine', 'variant'])
    const rows = [
      { stage: 'refine', paused: false, concurrency: 2 },
      { stage: 'variant', paused: false, concurrency: 5 },
    ] as const
    applyStageControls(rows, map, {})
    expect(calls).toEqual(['refine 2', 'variant 5'])
  })

  it('let a stage without limit take the runs that are here, and no stage with one', () => {
    const { map } = workers(['assemble', 'execute', 'evaluate'])
    const limited = () => [...map].filter(([, worker]) => worker.limited).map(([stage]) => stage)
    applyStageControls([], map, { evaluate: 8 })
    expect(limited()).toEqual(['evaluate'])
    expect(map.get('evaluate')?.concurrency).toBe(8)
    applyStageControls([{ stage: 'assemble', paused: false, concurrency: 4 }], map, { execute: 16 })
    expect(limited()).toEqual(['assemble', 'execute'])
    applyStageControls([], map, {})
    expect(limited()).toEqual([])
  })

  it('never set a concurrency below one', () => {
    const { calls, map } = workers(['execute'])
    const row = { stage: 'execute', paused: false, concurrency: 0 } as const
    applyStageControls([row], map, {})
    expect(calls).toEqual(['execute 1'])
  })
})
