import { createDeterministicEngine } from '@almanac/llm'
import { pipeline, runInline } from '@almanac/pipeline'
import type { RunId, SpecificationId } from '@almanac/domain'
import { createMemoryWorld } from '../../packages/pipeline/src/testing/memory-world.ts'
import {
  everythingBought,
  industries,
  kinds,
  readEvidence,
  sampleEvidenceFile,
  samplePeriod,
  sampleSpecification,
} from './sample.ts'

/**
 * Makes the sample's report and prints its JSON: for tests that run this in processes of different
 * time zone, language and date. The ids are fixed; everything else follows from the package.
 */
const specification = sampleSpecification()
const world = createMemoryWorld({
  specification,
  entitlement: everythingBought,
  evidence: readEvidence(sampleEvidenceFile, specification.sources[0] ?? ''),
  industries,
  kinds,
  engine: createDeterministicEngine(),
  now: new Date(),
})
const run = world.accept({
  id: 'run_01kafexamp1e00000000000000' as RunId,
  specificationId: 'spec_01kafexamp1e00000000000000' as SpecificationId,
  period: samplePeriod,
})
const { id: runId, tenantId } = run.facts
await runInline(pipeline, 'retrieve', { tenantId, runId, epoch: 1 }, world.ports)
for (const { sha256 } of run.conclusion?.artifacts ?? [])
  process.stdout.write(world.blobs.get(sha256) ?? '')
