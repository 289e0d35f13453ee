import type { RunId } from '@almanac/domain'
import type { CommitStage, LoadedRun, RunStore } from '@almanac/pipeline'

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
  { maxRuns = 1_000, maxAgeMs = 2_000 }: { maxRuns?: number; maxAgeMs?: number } = {},
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
      if (run) remember(run, false)
      return run
    },
    async commitStage(commit) {
      const { runId, stage, move, output, epoch } = commit
      const verdict = await commitStage(commit)
      const known = memory.get(runId)?.run
      const goesOn = verdict === 'committed' && move.to === 'running' && output !== null
      if (goesOn && known?.epoch === epoch && known.nextStage === stage)
        remember(
          {
            ...known,
            nextStage: move.next,
            tries: 0,
            outputs: { ...known.outputs, [stage]: output },
          },
          true,
        )
      else memory.delete(runId)
      return verdict
    },
  }
}
