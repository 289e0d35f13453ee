import type { JobData, StageName } from '@almanac/domain'
import type { JobEnd, RunnerPorts } from './runner.ts'
import { runStage } from './runner.ts'
import type { AnyStage } from './stage.ts'

/**
 * Runs a whole run in this process, stage after stage, through the same runner, and with the same
 * JSON between the stages, as the queue does; the last end that is not `advanced` is the answer.
 */
export async function runInline(
  stages: readonly AnyStage[],
  from: StageName,
  job: JobData,
  ports: RunnerPorts,
  signal: AbortSignal = new AbortController().signal,
): Promise<JobEnd> {
  const payload = JSON.stringify(job)
  for (let stage = from; ;) {
    const end = await runStage(stages, stage, JSON.parse(payload) as JobData, ports, signal)
    if (end.kind === 'again') continue
    if (end.kind !== 'advanced') return end
    stage = end.next
  }
}
