import {
  AlmanacError,
  isAlmanacError,
  type JobData,
  type StageName,
  type TenantId,
} from '@almanac/domain'
import type { HashedText } from '@almanac/domain/hash'
import type { z } from 'zod'
import { decide, type Situation, type StageResult } from './decide.ts'
import type {
  Clock,
  CommitStage,
  Identity,
  LoadedRun,
  Move,
  Ports,
  RunStore,
  StageCommit,
  Verdict,
} from './ports.ts'
import { Elsewhere, Park, WithTexts, type AnyStage } from './stage.ts'

/** What the queue has to do after a job: nothing, enqueue the next stage, or the same one later. */
export type JobEnd =
  | { kind: 'dropped'; why: 'stale' | 'duplicate' | 'elsewhere' | 'aborted' }
  | { kind: 'advanced'; next: StageName }
  | { kind: 'again'; delayMs: number; code: string }
  | { kind: 'parked' | 'succeeded' | 'failed' | 'blocked'; code?: string }
  | { kind: 'done' }

/** One line of the log for every stage that ran: ids, durations and codes, no content. */
export interface StageLog {
  run: string
  tenant: string
  stage: StageName
  durationMs: number
  end: JobEnd['kind']
  code?: string
  cause?: unknown
}

export interface RunnerPorts extends Ports, RunStore, CommitStage {
  clock: Clock
  identity: Identity
  log(line: StageLog): void
}

/**
 * Runs one stage of one run: the life of a job.
 *
 *   1. Load the run. Another epoch, state or stage than the job's: the job is old, drop it.
 *   2. Parse the stage's input from the stored outputs of earlier stages.
 *   3. Run the stage with its time-out and the job's signal.
 *   4. `decide` turns output, park or error into the run's move.
 *   5. Commit output, move and events at once, fenced by the epoch; the verdict says whether it counted.
 *   6. Tell the caller what to enqueue.
 *
 * A signal that aborts (shutdown, lost lease, cancel) gives the try back: nothing is committed.
 */
export async function runStage(
  stages: readonly AnyStage[],
  stageName: StageName,
  job: JobData,
  ports: RunnerPorts,
  signal: AbortSignal,
): Promise<JobEnd> {
  const index = stages.findIndex(({ name }) => name === stageName)
  const stage = stages[index]
  if (!stage) throw new Error(`no stage is called ${stageName}`)
  const started = performance.now()
  const run = await ports.load(job.tenantId as TenantId, job.runId)
  if (!run || !isDue(stage, run, job)) return { kind: 'dropped', why: 'stale' }

  const known = takenOver(stages, index, run)
  const result = known ?? (await attempt(stage, run, ports, signal))
  const durationMs = Math.round(performance.now() - started)
  const end = await record(stages, index, run, result, durationMs, ports, signal)
  ports.log({
    run: run.facts.id,
    tenant: run.facts.tenantId,
    stage: stageName,
    durationMs,
    end: end.kind,
    ...('code' in end && end.code ? { code: end.code } : {}),
    ...(result.cause === undefined ? {} : { cause: result.cause }),
  })
  return end
}

/** An aftermath stage runs after the end and is fenced by nothing but its input. */
const isDue = (stage: AnyStage, run: LoadedRun, job: JobData): boolean =>
  stage.role === 'aftermath'
    ? run.state === 'succeeded'
    : run.state === 'running' && run.epoch === job.epoch && run.nextStage === stage.name

/**
 * A retry or rerun takes the outputs before `origin.fromStage` over from its origin; but what is
 * checked live, `retrieve` and `cadence`, it always does itself.
 */
function takenOver(
  stages: readonly AnyStage[],
  index: number,
  { facts: { origin }, originOutputs }: LoadedRun,
): Attempt | undefined {
  const stage = stages[index]
  if (!origin || !stage || stage.name === 'retrieve' || stage.name === 'cadence') return undefined
  const from = stages.findIndex(({ name }) => name === origin.fromStage)
  const stored = index < from ? originOutputs[stage.name] : undefined
  return stored === undefined ? undefined : { output: stage.output.parse(JSON.parse(stored)) }
}

interface Attempt {
  output?: unknown
  texts?: readonly HashedText[]
  park?: Park
  elsewhere?: true
  aborted?: true
  error?: AlmanacError
  cause?: unknown
}

async function attempt(
  stage: AnyStage,
  { facts, epoch, outputs }: LoadedRun,
  ports: RunnerPorts,
  signal: AbortSignal,
): Promise<Attempt> {
  const timeout = AbortSignal.timeout(stage.timeoutMs)
  const either = AbortSignal.any([signal, timeout])
  try {
    const input = parseInput(stage, outputs)
    const result = await untilAborted(
      stage.run({ ...input, run: facts, epoch }, ports as never, either),
      either,
    )
    if (result instanceof Park) return { park: result }
    if (result instanceof Elsewhere) return { elsewhere: true }
    if (result instanceof WithTexts)
      return { output: stage.output.parse(result.output), texts: result.texts }
    return { output: stage.output.parse(result) }
  } catch (cause) {
    if (signal.aborted) return { aborted: true, cause }
    if (timeout.aborted) {
      const { name, timeoutMs } = stage
      return {
        error: new AlmanacError('STAGE_TIMEOUT', { stage: name, timeoutMs }, { cause }),
        cause,
      }
    }
    if (isAlmanacError(cause)) return { error: cause }
    return { error: new AlmanacError('STAGE_FAILED', { stage: stage.name }, { cause }), cause }
  }
}

function parseInput(stage: AnyStage, outputs: LoadedRun['outputs']): Record<string, unknown> {
  const entries = Object.entries(stage.input as Record<string, z.ZodType>)
  return Object.fromEntries(
    entries.map(([name, schema]) => {
      const stored = outputs[name as StageName]
      if (stored === undefined) throw new Error(`the output of ${name} is missing`)
      return [name, schema.parse(JSON.parse(stored))]
    }),
  )
}

/** A stage that ignores its signal is left behind: its result no longer counts. */
function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => {
      reject(signal.reason instanceof Error ? signal.reason : new Error('aborted'))
    }
    if (signal.aborted) abort()
    else signal.addEventListener('abort', abort, { once: true })
    work.then(resolve, reject).finally(() => {
      signal.removeEventListener('abort', abort)
    })
  })
}

async function record(
  stages: readonly AnyStage[],
  index: number,
  run: LoadedRun,
  result: Attempt,
  durationMs: number,
  ports: RunnerPorts,
  signal: AbortSignal,
): Promise<JobEnd> {
  const stage = stages[index]
  if (!stage) throw new Error('a stage is missing')
  if (result.aborted || signal.aborted) return { kind: 'dropped', why: 'aborted' }
  if (result.elsewhere) return { kind: 'dropped', why: 'elsewhere' }
  if (stage.role === 'aftermath') return { kind: 'done' }

  const next = stages[index + 1]?.name
  const situation: Situation = {
    stage: stage.name,
    role: stage.role,
    next,
    tries: stage.tries,
    failedBefore: run.tries,
    now: ports.clock.now(),
    deadlineAt: run.facts.deadlineAt,
  }
  const conclusion = 'output' in result ? (stage.conclusion?.(result.output) ?? null) : null
  const decision = decide(resultOf(result, durationMs, conclusion), situation)
  const own = 'output' in result ? (stage.events?.(result.output) ?? []) : []
  const events = [...own, ...decision.events]
  const commit: StageCommit = {
    tenantId: run.facts.tenantId,
    runId: run.facts.id,
    epoch: run.epoch,
    stage: stage.name,
    workerId: ports.identity.workerId,
    output: 'output' in result ? JSON.stringify(result.output) : null,
    ...(result.texts ? { texts: result.texts } : {}),
    durationMs,
    move: decision.move,
    events,
    conclusion,
  }
  const { verdict, move } = await commitOrFail(commit, ports)
  if (verdict !== 'committed') return { kind: 'dropped', why: verdict }
  if (move.to === 'running') return { kind: 'advanced', next: move.next }
  if (move.to === 'again') return { kind: 'again', delayMs: move.delayMs, code: move.code }
  return { kind: move.to, ...('code' in move ? { code: move.code } : {}) }
}

/**
 * Commits; where the database refuses the rows themselves (STAGE_FAILED), the run fails with that
 * instead of being tried for ever.
 */
async function commitOrFail(
  commit: StageCommit,
  ports: RunnerPorts,
): Promise<{ verdict: Verdict; move: Move }> {
  try {
    return { verdict: await ports.commitStage(commit), move: commit.move }
  } catch (error) {
    if (!isAlmanacError(error, 'STAGE_FAILED') || commit.output === null) throw error
    const { code, params, message: detail } = error
    const move: Move = { to: 'failed', code, params, detail }
    const events: StageCommit['events'] = [
      { type: 'run.failed', data: { stage: commit.stage, code } },
    ]
    const refused = { ...commit, output: null, texts: [], move, events, conclusion: null }
    return { verdict: await ports.commitStage(refused), move }
  }
}

function resultOf(
  result: Attempt,
  durationMs: number,
  conclusion: StageCommit['conclusion'],
): StageResult {
  if (result.error) return { kind: 'error', error: result.error }
  if (result.park) return { kind: 'park', park: result.park }
  return {
    kind: 'output',
    durationMs,
    score: conclusion?.version.score ?? 0,
    artifacts: conclusion?.artifacts.map(({ id }) => id) ?? [],
  }
}
