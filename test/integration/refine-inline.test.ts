import type { ReportSpecification } from '@almanac/domain'
import { createDeterministicEngine } from '@almanac/llm'
import { pipeline, runInline, runVariant, type Engine } from '@almanac/pipeline'
import { describe, expect, it } from 'vitest'
import { createMemoryWorld } from '../../packages/pipeline/src/testing/memory-world.ts'
import { withDefectiveDraft } from '../support/defective-engine.ts'
import {
  everythingBought,
  industries,
  kinds,
  readEvidence,
  sampleEvidenceFile,
  samplePeriod,
  sampleSpecification,
} from '../support/sample.ts'

const [source = ''] = sampleSpecification().sources
const signal = new AbortController().signal

type Refinement = ReportSpecification['refinement']

const refinement = (over: Partial<Extract<Refinement, { enabled: true }>> = {}): Refinement => ({
  enabled: true,
  maxDepth: 10,
  maxChildren: 100,
  checkpointRatio: 0.8,
  decay: 0,
  variants: 3,
  checkpointExpiryMinutes: 60,
  termination: [{ type: 'target_score', score: 1 }],
  ...over,
})

/** A whole run, whose variants are made as soon as their jobs are there. */
async function refined(
  refine: Refinement,
  { engine = withDefectiveDraft(createDeterministicEngine()) }: { engine?: Engine } = {},
) {
  const world = createMemoryWorld({
    specification: sampleSpecification({ refinement: refine }),
    entitlement: everythingBought,
    evidence: readEvidence(sampleEvidenceFile, source),
    industries,
    kinds,
    engine,
    now: new Date('2026-11-21T12:00:00.000Z'),
  })
  const run = world.accept({ period: samplePeriod })
  const { id: runId, tenantId } = run.facts
  const go = () =>
    runInline(pipeline, run.nextStage, { tenantId, runId, epoch: run.epoch }, world.ports)
  let end = await go()
  while (world.refined.jobs.length > 0) {
    for (const job of world.refined.jobs.splice(0)) await runVariant(job, world.ports, signal)
    end = await go()
  }
  expect(run.error).toBeNull()
  const root = world.refined.roots.get(runId)
  const output = JSON.parse(run.outputs.refine ?? '{}') as {
    stopReason: string
    versionLabel: string
    problem: string | null
  }
  return { world, run, end, root, output }
}

describe('refinement, inline', () => {
  it('improves a defective document in a generation of three variants and a merge', async () => {
    const { run, root, output } = await refined(
      refinement({ termination: [{ type: 'depth_reached', depth: 1 }] }),
    )
    expect(run.state).toBe('succeeded')
    expect(output).toMatchObject({ stopReason: 'depth', problem: null })
    const [draft, best] = root?.bests ?? []
    expect(root?.generations).toHaveLength(1)
    expect(root?.generations[0]?.variants.map(({ state }) => state)).toEqual([
      'done',
      'done',
      'done',
    ])
    expect(best?.score).toBeGreaterThan(draft?.score ?? 1)
    const going = root?.versions.find(({ id }) => id === best?.id)
    expect(run.conclusion?.version).toMatchObject({
      id: best?.id,
      score: best?.score,
      label: going?.label,
      contentHash: going?.contentHash,
    })
    const labels = root?.versions.map(({ label }) => label) ?? []
    expect(labels.slice(0, 4)).toEqual(['1', '1.1', '1.2', '1.3'])
    expect(new Set(labels).size).toBe(labels.length)
  })

  it('hands on what it has when it reaches the target', async () => {
    const { output, root } = await refined(
      refinement({ termination: [{ type: 'target_score', score: 0.9 }] }),
    )
    expect(output.stopReason).toBe('target')
    expect(root?.bests.at(-1)?.score).toBeGreaterThanOrEqual(0.9)
  })

  it('ends at a plateau', async () => {
    const { output, root } = await refined(
      refinement({ termination: [{ type: 'quality_plateau', epsilon: 0.99, patience: 1 }] }),
    )
    expect(output.stopReason).toBe('plateau')
    expect(root?.generations).toHaveLength(1)
  })

  it('ends by denial where its policy stops at a checkpoint', async () => {
    const { output, run } = await refined(refinement({ maxDepth: 1 }))
    expect(output.stopReason).toBe('denial')
    expect(run.state).toBe('succeeded')
    expect(output.versionLabel).toBe('1')
  })

  it('keeps the draft where every variant fails, and succeeds', async () => {
    const engine = withDefectiveDraft(createDeterministicEngine())
    const failing: Engine = {
      ...engine,
      generate: (request, body, abort) =>
        request.call.kind === 'draft'
          ? engine.generate(request, body, abort)
          : Promise.resolve({ kind: 'misconfigured', status: 400, code: 'no variants here' }),
    }
    const { run, root, output } = await refined(refinement(), { engine: failing })
    expect(run.state).toBe('succeeded')
    expect(output).toMatchObject({ stopReason: 'no_children', versionLabel: '1' })
    expect(root?.generations[0]?.variants.map(({ state }) => state)).toEqual([
      'failed',
      'failed',
      'failed',
    ])
  })

  it('waits while spending is stopped, and grows its generation when it goes on', async () => {
    const { world } = await refined({ enabled: false })
    const run = world.accept({ period: samplePeriod, test: true })
    world.specification.body = sampleSpecification({ refinement: refinement() })
    const { refinement: store } = world.ports
    world.ports.refinement = { ...store, prepare: () => Promise.resolve({ kind: 'stopped' }) }
    const { id: runId, tenantId } = run.facts
    const go = (from: 'retrieve' | 'refine') =>
      runInline(pipeline, from, { tenantId, runId, epoch: run.epoch }, world.ports)
    expect(await go('retrieve')).toMatchObject({ kind: 'parked' })
    expect(run.events.at(-1)).toMatchObject({
      type: 'run.parked',
      data: { stage: 'refine', reason: 'provider_stopped' },
    })
    world.ports.refinement = store
    run.state = 'running'
    await go('refine')
    expect(world.refined.roots.get(runId)?.generations).toHaveLength(1)
  })

  it('ends by an error of its own with the best so far, and says what it was', async () => {
    const { world } = await refined({ enabled: false })
    const run = world.accept({ period: samplePeriod, test: true })
    world.specification.body = sampleSpecification({ refinement: refinement() })
    world.ports.refinement.prepare = () => Promise.reject(new Error('the guard has a bad day'))
    const { id: runId, tenantId } = run.facts
    await runInline(pipeline, 'retrieve', { tenantId, runId, epoch: 1 }, world.ports)
    expect(run.state).toBe('succeeded')
    expect(JSON.parse(run.outputs.refine ?? '{}')).toMatchObject({
      stopReason: 'error',
      problem: 'the guard has a bad day',
      version: { runId },
    })
  })

  it('changes nothing where it is switched off', async () => {
    const { run, root, output } = await refined({ enabled: false })
    expect(run.state).toBe('succeeded')
    expect(root).toBeUndefined()
    expect(output).toMatchObject({ stopReason: 'disabled', versionLabel: '1' })
  })
})
