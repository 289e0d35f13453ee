import type { ArtifactFormat, RunId, Specification, SpecificationId } from '@almanac/domain'
import { createDeterministicEngine } from '@almanac/llm'
import { pipeline, runInline } from '@almanac/pipeline'
import {
  createMemoryWorld,
  type MemoryWorld,
} from '../../packages/pipeline/src/testing/memory-world.ts'
import {
  everythingBought,
  industries,
  kinds,
  readEvidence,
  sampleEvidenceFile,
  samplePeriod,
  sampleSpecification,
} from './sample.ts'
import { sampleModule, sampleMonth, sampleWorkflow } from './workflow-sample.ts'

export type SampleArtifacts = Record<ArtifactFormat, string>

/** The artifacts of the example report. The ids are fixed; everything else follows from the package. */
export function reportArtifacts(): Promise<SampleArtifacts> {
  const specification = sampleSpecification()
  const evidence = readEvidence(sampleEvidenceFile, specification.sources[0] ?? '')
  return artifactsOf(specification, samplePeriod, { evidence })
}

/** The artifacts of the example workflow, likewise. */
export const workflowArtifacts = (): Promise<SampleArtifacts> =>
  artifactsOf(sampleWorkflow(), sampleMonth, { evidence: [], modules: [sampleModule()] })

async function artifactsOf(
  specification: Specification,
  period: string,
  material: Pick<Parameters<typeof createMemoryWorld>[0], 'evidence' | 'modules'>,
): Promise<SampleArtifacts> {
  const world: MemoryWorld = createMemoryWorld({
    specification,
    entitlement: everythingBought,
    ...material,
    industries,
    kinds,
    engine: createDeterministicEngine(),
    now: new Date(),
    tenantName: 'First tenant',
  })
  const run = world.accept({
    id: 'run_01kafexamp1e00000000000000' as RunId,
    specificationId: 'spec_01kafexamp1e00000000000000' as SpecificationId,
    period,
  })
  const { id: runId, tenantId } = run.facts
  await runInline(pipeline, 'retrieve', { tenantId, runId, epoch: 1 }, world.ports)
  const text = (format: ArtifactFormat): string => {
    const stored = run.conclusion?.artifacts.find((artifact) => artifact.format === format)
    const found = stored && world.blobs.get(stored.sha256)
    if (found === undefined) throw new Error(`no ${format}: ${JSON.stringify(run.error)}`)
    return found
  }
  return { json: text('json'), markdown: text('markdown'), html: text('html') }
}
