import {
  AlmanacError,
  canonicalJson,
  isAlmanacError,
  limitsOf,
  type RefinementLimits,
  type RefinementStrategies,
  type StopReason,
  type Termination,
} from '@almanac/domain'
import {
  bestOf,
  shouldStop,
  stopReasonOf,
  type ConditionVerdict,
  type RefusalCode,
} from '@almanac/refinement'
import type { z } from 'zod'
import { parkStopped, type CallContext } from '../calls/call-engine.ts'
import { readDocument, readPackage } from '../content.ts'
import { documentIdOf } from '../document-id.ts'
import { assembled, executed, refined, validated } from '../outputs.ts'
import type { Ports } from '../ports.ts'
import { askConditions } from '../refinement/ask-conditions.ts'
import { expandPhases } from '../refinement/expand-phases.ts'
import { growGeneration } from '../refinement/grow-generation.ts'
import { judged } from '../refinement/judged.ts'
import { mergeGeneration } from '../refinement/merge-generation.ts'
import { planBriefs } from '../refinement/plan-briefs.ts'
import type { RefinedRoot, RefinedVersion, RootClaim } from '../refinement/refinement-port.ts'
import { strategyIssues } from '../refinement/strategy-issues.ts'
import { defineStage, Elsewhere, Park } from '../stage.ts'

export type RefinePorts = Pick<
  Ports,
  'content' | 'kinds' | 'ids' | 'engine' | 'clock' | 'identity' | 'refinement' | 'strategies'
>

type Output = z.input<typeof refined>

/**
 * Hands on the best version of the document. With refinement, a pass of this stage stands between two
 * generations: it merges the one that has come back, and ends, or books the next one and leaves the run
 * parked until that has come back too:
 *
 *   open root ─▶ (merge) ─▶ stop? ─▶ the best version goes on, with the reason
 *                             └─▶ guard ─▶ refused: the best goes on, with the reason of the refusal
 *                                   ├────▶ checkpoint: parked until somebody has decided
 *                                   ├────▶ stopped: parked until spending goes on
 *                                   └────▶ booked: parked until its variants are closed
 *
 * Phases that are too complex are expanded before anything else is asked for: variants then start from what
 * became of them.
 * A valid document never fails here: whatever goes wrong ends the refinement, with the best so far.
 */
export const refine = defineStage({
  name: 'refine',
  tries: 3,
  timeoutMs: 60_000,
  input: { assemble: assembled, execute: executed, validate: validated },
  output: refined,
  run: async ({ run, epoch, assemble, execute }, ports: RefinePorts, signal) => {
    const runPackage = await readPackage(ports.content, run.tenantId, assemble.packageHash)
    const { body } = runPackage.specification
    const limits = limitsOf(body)
    const draft = { contentHash: execute.contentHash, versionLabel: '1' }
    const unstored = { ...draft, version: null, problem: null }
    if (!limits || !body.refinement.enabled) return { ...unstored, stopReason: 'disabled' }
    const refining: Refining = {
      context: {
        run,
        epoch,
        package: runPackage,
        packageHash: assemble.packageHash,
        kind: ports.kinds.get(runPackage.output.kind),
        stage: 'refine',
      },
      claim: { tenantId: run.tenantId, runId: run.id, epoch },
      limits,
      termination: body.refinement.termination,
      strategies: body.refinement.strategies ?? {},
      expandAbove: body.refinement.expandAbove,
      draftHash: execute.contentHash,
    }
    try {
      const issues = strategyIssues(body.refinement, ports.strategies)
      if (issues.length > 0) throw new AlmanacError('INPUT_INVALID', { issues })
      const asking = AbortSignal.any([signal, AbortSignal.timeout(pluginsMs)])
      return parsed(await passOnce(refining, ports, asking))
    } catch (cause) {
      signal.throwIfAborted()
      const ended = await giveUp(refining, ports)
      const problem = cause instanceof Error ? cause.message.slice(0, 500) : 'something was thrown'
      return parsed(ended ? { ...ended, problem } : { ...unstored, stopReason: 'error', problem })
    }
  },
})

/** What the plugins of one pass may take in all: well below the stage's own time. */
const pluginsMs = 30_000

/** What a pass comes to: the stage's output, or a run that waits. */
type Pass = Output | Park | Elsewhere

const parsed = (pass: Pass) =>
  pass instanceof Elsewhere || pass instanceof Park ? pass : refined.parse(pass)

interface Refining {
  context: CallContext
  claim: RootClaim
  limits: RefinementLimits
  termination: Termination
  strategies: RefinementStrategies
  expandAbove: number | undefined
  draftHash: string
}

/** `asking` ends what plugins are asked. */
async function passOnce(
  refining: Refining,
  ports: RefinePorts,
  asking: AbortSignal,
): Promise<Pass> {
  const { context, claim, termination, strategies, expandAbove } = refining
  const { refinement } = ports
  let root = (await refinement.resume(claim)) ?? (await openRoot(refining, ports))
  if (!root) return new Elsewhere()
  if (root.generation) {
    const by = strategies.merge ?? 'three-way'
    const outcome = await mergeGeneration(context, root, by, ports, asking)
    await refinement.recordMerge(claim, root.generation.generation, outcome)
    root = await refinement.resume(claim)
    if (!root) return new Elsewhere()
  }
  const stop = shouldStop(root.lineage, termination, root.limits)
  if (stop) return endWith(refining, stop, ports)
  const verdicts = await askConditions(termination, root, ports.strategies, asking)
  const said = shouldStop(root.lineage, termination, root.limits, verdicts)
  if (said) return endWith(refining, said, ports, verdicts)

  const { contentHash } = await versionOf(claim, bestOf(root.lineage).id, ports)
  const { run, package: runPackage, kind } = context
  const best = judged(
    kind,
    runPackage,
    await readDocument(ports.content, run.tenantId, contentHash, kind),
  )
  try {
    const conditions = { termination, verdicts }
    const expanding = await expandPhases(context, root, conditions, best, expandAbove, ports)
    const plan = (count: number) => planBriefs(best, count, strategies, ports.strategies, asking)
    const grown =
      expanding === 'nothing_complex'
        ? await growGeneration(context, root, conditions, best, plan, ports)
        : expanding
    if (grown === 'stopped') return parkStopped(ports)
    return grown === 'nothing_wrong'
      ? await endWith(refining, 'no_children', ports)
      : new Elsewhere()
  } catch (cause) {
    if (!isAlmanacError(cause, 'REFINEMENT_REFUSED')) throw cause
    const { refusal: code, limit, value, allowed } = cause.params
    const refusal = { code: code as RefusalCode, limit, value, allowed }
    return endWith(refining, stopReasonOf(refusal), ports)
  }
}

/** Makes the run a root, with its draft as the first version. */
async function openRoot(
  { context, claim, limits, draftHash }: Refining,
  { content, ids, refinement }: RefinePorts,
): Promise<RefinedRoot | undefined> {
  const { run, package: runPackage, packageHash, kind } = context
  const { evaluation } = judged(
    kind,
    runPackage,
    await readDocument(content, run.tenantId, draftHash, kind),
  )
  const opened = await refinement.open(claim, {
    documentId: documentIdOf(run, runPackage),
    limits,
    policy: runPackage.specification.body.checkpointPolicy,
    draft: {
      id: ids.next('version'),
      label: '1',
      contentHash: draftHash,
      packageHash,
      score: evaluation.score,
      evaluation: canonicalJson(evaluation),
    },
  })
  return opened === 'stale' ? undefined : refinement.resume(claim)
}

async function endWith(
  { claim }: Refining,
  reason: StopReason,
  ports: RefinePorts,
  verdicts: readonly ConditionVerdict[] = [],
): Promise<Output | Elsewhere> {
  const ended = await ports.refinement.end(claim, reason, verdicts)
  if (!ended) return new Elsewhere()
  const { id, contentHash, label } = await versionOf(claim, ended.best.id, ports)
  const version = { id, runId: claim.runId }
  return { contentHash, versionLabel: label, stopReason: ended.stopReason, version, problem: null }
}

/** Ends the refinement after an error. Undefined when it was never begun, or the run has gone on. */
async function giveUp(refining: Refining, ports: RefinePorts): Promise<Output | undefined> {
  const { claim } = refining
  const root = await ports.refinement.resume(claim)
  if (!root) return undefined
  if (root.generation)
    await ports.refinement.recordMerge(claim, root.generation.generation, { merge: 'none' })
  const ended = await endWith(refining, 'error', ports)
  return ended instanceof Elsewhere ? undefined : ended
}

async function versionOf(
  root: RootClaim,
  id: string,
  { refinement }: Pick<Ports, 'refinement'>,
): Promise<RefinedVersion> {
  const found = (await refinement.versions(root)).find((version) => version.id === id)
  if (!found) throw new Error(`version ${id} is not stored`)
  return found
}
