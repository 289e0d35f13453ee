import type { AnyDocumentKind } from '@almanac/documents'
import {
  AlmanacError,
  packageText,
  type Industry,
  type Instruction,
  type ReportSpecification,
  type RunPackage,
} from '@almanac/domain'
import { hashed } from '@almanac/domain/hash'
import { scopedCatalogue } from '@almanac/industries'
import { rememberPackage } from '../content.ts'
import { chooseEvidence, estimateTokens } from '../evidence-choice.ts'
import { packageLimits } from '../limits.ts'
import { assembled, claimed, retrieved } from '../outputs.ts'
import type { BoundSpecification, Ports, RunFacts } from '../ports.ts'
import { defineStage, WithTexts } from '../stage.ts'

type AssemblePorts = Pick<
  Ports,
  'specifications' | 'industries' | 'kinds' | 'evidence' | 'history' | 'modules' | 'content'
>

/** Builds and stores the run package: everything that the engine will know, and nothing else. */
export const assemble = defineStage({
  name: 'assemble',
  tries: 3,
  timeoutMs: 60_000,
  input: { retrieve: retrieved, cadence: claimed },
  output: assembled,
  run: async ({ run, retrieve, cadence }, ports: AssemblePorts) => {
    const bound = await ports.specifications.bound(run)
    const frame = await packageFrame(run, bound, retrieve, cadence, ports)
    const frameTokens = estimateTokens(packageText(frame))
    const limit = frame.limits.maxPackageTokens
    if (frameTokens > limit)
      throw new AlmanacError('PACKAGE_TOO_LARGE', { tokens: frameTokens, limit })
    const filled =
      bound.body.kind === 'report'
        ? await withEvidence(frame, bound.body, run, limit - frameTokens, ports)
        : frame
    const text = hashed(packageText(filled))
    const packageHash = text.hash
    rememberPackage(ports.content, run.tenantId, packageHash, filled)
    const { evidenceIncluded, evidenceConsidered } = filled
    const tokens = estimateTokens(text.text)
    return new WithTexts({ packageHash, tokens, evidenceIncluded, evidenceConsidered }, [text])
  },
})

/** The package without its evidence. */
async function packageFrame(
  run: RunFacts,
  bound: BoundSpecification,
  { scope, narrowed, hash }: { scope: RunPackage['scope']; narrowed: boolean; hash: string },
  cadence: RunPackage['cadence'],
  { industries, kinds, history, modules }: AssemblePorts,
): Promise<RunPackage> {
  const { body } = bound
  const kind = kinds.get(body.documentKind ?? body.kind)
  const industry =
    body.kind === 'report' ? industries.get(body.industry, body.industryVersion) : undefined
  const past =
    cadence.periodKey === null
      ? { history: [], previousArtifactHash: undefined }
      : await history.before({
          tenantId: run.tenantId,
          specificationId: run.specificationId,
          from: cadence.from,
        })
  const specification = { id: run.specificationId, revision: run.revision, hash, body }
  const limits = packageLimits(body)
  return {
    packageVersion: 1,
    tenantName: bound.tenantName,
    instruction: instructionOf(industry, kind),
    specification,
    scope,
    narrowed,
    cadence,
    history: past.history,
    ...(past.previousArtifactHash ? { previousArtifactHash: past.previousArtifactHash } : {}),
    catalogue: industry && scope ? scopedCatalogue(industry, scope) : null,
    ...(body.kind === 'workflow'
      ? { modules: await modules.named(run.tenantId, body.modules) }
      : {}),
    evidence: [],
    evidenceConsidered: 0,
    evidenceIncluded: 0,
    evidenceOmitted: [],
    evidenceLate: 0,
    output: {
      kind: kind.name,
      schemaVersion: kind.schemaVersion,
      jsonSchema: kind.jsonSchema({ specification, scope, limits }),
    },
    limits,
  }
}

async function withEvidence(
  frame: RunPackage,
  body: ReportSpecification,
  run: RunFacts,
  tokenLimit: number,
  { evidence, industries }: AssemblePorts,
): Promise<RunPackage> {
  const { from, to } = frame.cadence
  const { tenantId } = run
  const { sources } = body
  const since = frame.history[0]?.finishedAt
  const [items, evidenceLate] = await Promise.all([
    evidence.inWindow({ tenantId, sources, from, to }),
    since ? evidence.late({ tenantId, sources, from, since }) : 0,
  ])
  const industry = industries.get(body.industry, body.industryVersion)
  const chosen = chooseEvidence(industry, frame.scope, items, tokenLimit)
  return { ...frame, ...chosen, evidenceLate }
}

/** An industry brings its instruction; a kind without industry has its own. */
function instructionOf(industry: Industry | undefined, kind: AnyDocumentKind): Instruction {
  const instruction = industry?.instruction ?? kind.instruction
  if (!instruction) throw new Error(`the kind ${kind.name} has neither industry nor instruction`)
  return instruction
}
