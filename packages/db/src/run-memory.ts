import type { RunId } from '@almanac/domain'
import type {
  BoundSpecification,
  CommitStage,
  LoadedRun,
  RunStore,
  Specifications,
} from '@almanac/pipeline'

interface Remembered {
  run: LoadedRun
  /** Whether this process has just moved the run to where `run` says. */
  moved: boolean
  at: number
}

/**
 * Ports that spare the read between two stages of a run that this process does one after the other:
 * what it has just committed, it knows. Each memory is used once, and only for a moment. Nothing
 * depends on its truth: the commit and the hold of a paid call are fenced by the run's epoch, so that
 * a stage that starts for a run which has moved elsewhere meanwhile does its work in vain.
 */
export function rememberRuns(
  { load, commitStage }: RunStore & CommitStage,
  { maxRuns = 4_000, maxAgeMs = 2_000 }: { maxRuns?: number; maxAgeMs?: number } = {},
): RunStore & CommitStage {
  const memory = new Map<RunId, Remembered>()

  const remember = (run: LoadedRun, moved: boolean) => {
    memory.delete(run.facts.id)
    memory.set(run.facts.id, { run, moved, at: performance.now() })
    const [oldest] = memory.keys()
    if (memory.size > maxRuns && oldest) memory.delete(oldest)
  }

  return {
    async load(tenantId, runId) {
      const known = memory.get(runId)
      memory.delete(runId)
      const fresh = known?.moved && performance.now() - known.at < maxAgeMs
      const run =
        fresh && known.run.facts.tenantId === tenantId ? known.run : await load(tenantId, runId)
      if (run?.state === 'running') remember(run, false)
      return run
    },
    async commitStage(commit) {
      const { runId, stage, move, output, epoch } = commit
      const verdict = await commitStage(commit)
      const known = memory.get(runId)?.run
      const counted = verdict === 'committed' && output !== null
      if (counted && known?.epoch === epoch && known.nextStage === stage) {
        const outputs = { ...known.outputs, [stage]: output }
        if (move.to === 'running')
          remember({ ...known, nextStage: move.next, tries: 0, outputs }, true)
        else if (move.to === 'succeeded') remember({ ...known, state: 'succeeded', outputs }, true)
        else memory.delete(runId)
      } else memory.delete(runId)
      return verdict
    },
  }
}

/**
 * Spares the second and third read of the specification that a run is bound to: what the first of its
 * stages was told of a specification, and may act on, the next two may act on as well for a moment.
 */
export function rememberSpecifications(
  { bound }: Specifications,
  { maxRuns = 4_000, maxAgeMs = 2_000 }: { maxRuns?: number; maxAgeMs?: number } = {},
): Specifications {
  const memory = new Map<RunId, { known: BoundSpecification; at: number }>()
  return {
    async bound(run) {
      const remembered = memory.get(run.id)
      if (remembered && performance.now() - remembered.at < maxAgeMs) return remembered.known
      const known = await bound(run)
      memory.delete(run.id)
      memory.set(run.id, { known, at: performance.now() })
      const [oldest] = memory.keys()
      if (memory.size > maxRuns && oldest) memory.delete(oldest)
      return known
    },
  }
}
