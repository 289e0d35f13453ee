import { tasksOf, workflowContent } from '@almanac/documents'
import type { WorkflowSpecification } from '@almanac/domain'
import { createDeterministicEngine } from '@almanac/llm'
import { pipeline, runInline, runVariant, type Engine } from '@almanac/pipeline'
import { describe, expect, it } from 'vitest'
import { createMemoryWorld } from '../../packages/pipeline/src/testing/memory-world.ts'
import { withDefectiveWorkflow } from '../support/defective-engine.ts'
import { everythingBought, industries, kinds } from '../support/sample.ts'
import { sampleModule, sampleMonth, sampleWorkflow } from '../support/workflow-sample.ts'

const signal = new AbortController().signal

const refinement = (
  termination: Extract<WorkflowSpecification['refinement'], { enabled: true }>['termination'],
): WorkflowSpecification['refinement'] => ({
  enabled: true,
  maxDepth: 10,
  maxChildren: 100,
  checkpointRatio: 0.8,
  decay: 0,
  variants: 3,
  checkpointExpiryMinutes: 60,
  termination,
})

/** A whole run of the example's workflow, whose variants are made as soon as their jobs are there. */
async function refined(refine: WorkflowSpecification['refinement'], engine: Engine) {
  const world = createMemoryWorld({
    specification: sampleWorkflow({ refinement: refine }),
    entitlement: everythingBought,
    evidence: [],
    modules: [sampleModule()],
    industries,
    kinds,
    engine,
    now: new Date('2026-11-21T12:00:00.000Z'),
  })
  const run = world.accept({ period: sampleMonth })
  const { id: runId, tenantId } = run.facts
  const go = () =>
    runInline(pipeline, run.nextStage, { tenantId, runId, epoch: run.epoch }, world.ports)
  await go()
  while (world.refined.jobs.length > 0) {
    for (const job of world.refined.jobs.splice(0)) await runVariant(job, world.ports, signal)
    await go()
  }
  expect(run.error).toBeNull()
  const output = JSON.parse(run.outputs.refine ?? '{}') as { stopReason: string; problem: unknown }
  const json = run.conclusion?.artifacts.find(({ format }) => format === 'json')
  const artifact = JSON.parse(world.blobs.get(json?.sha256 ?? '') ?? '{}')
  return { run, root: world.refined.roots.get(runId), output, artifact }
}

describe('the refinement of a workflow, inline', () => {
  it('ends with a better version, made of variants of the draft', async () => {
    const { run, root, output, artifact } = await refined(
      refinement([{ type: 'depth_reached', depth: 1 }]),
      withDefectiveWorkflow(createDeterministicEngine()),
    )
    expect(run.state).toBe('succeeded')
    expect(output).toMatchObject({ stopReason: 'depth', problem: null })
    const [generation] = root?.generations ?? []
    expect(generation?.variants.map(({ state }) => state)).toEqual(['done', 'done', 'done'])
    const [draft, best] = root?.bests ?? []
    expect((best?.score ?? 0) - (draft?.score ?? 1)).toBeGreaterThanOrEqual(0.15)
    expect(run.conclusion?.version).toMatchObject({ id: best?.id, score: best?.score })
    expect(artifact.metadata.score).toBe(best?.score)
    const content = workflowContent.parse(artifact.content)
    expect(content.form).toBe('checklist')
    expect(tasksOf(content).map(({ task }) => task.id)).toContain('condition-deadline')
    expect(JSON.stringify(content)).not.toMatch(/as appropriate/)
  })

  it('goes on until it reaches its target', async () => {
    const { output, root } = await refined(
      refinement([{ type: 'target_score', score: 0.98 }]),
      withDefectiveWorkflow(createDeterministicEngine()),
    )
    expect(output.stopReason).toBe('target')
    expect(root?.bests.at(-1)?.score).toBeGreaterThanOrEqual(0.98)
  })

  it('has nothing to do with a draft in which nothing is wrong', async () => {
    const { output, root } = await refined(
      refinement([{ type: 'depth_reached', depth: 3 }]),
      createDeterministicEngine(),
    )
    expect(root?.bests[0]?.score).toBe(1)
    expect(output.stopReason).toBe('no_children')
    expect(root?.generations).toEqual([])
  })
})
