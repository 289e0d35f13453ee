import { judgeBrief, type Call } from '@almanac/documents'
import { canonicalJson, isAlmanacError, type RunPackage } from '@almanac/domain'
import { requestOf } from './calls/call-engine.ts'
import { readPackage } from './content.ts'
import { estimateTokens } from './evidence-choice.ts'
import type { Engine, Ports, RunFacts } from './ports.ts'
import { Elsewhere, Park, WithTexts } from './stage.ts'
import { assemble } from './stages/assemble.ts'
import { cadence } from './stages/cadence.ts'
import { retrieve } from './stages/retrieve.ts'

interface Amounts {
  microUsd: number
  tokens: number
}

/** What the calls of a run that has not begun would cost, from the package that it would have. */
export interface RunEstimate {
  periodKey: string | null
  /** The package is read once a call, and nothing is written. */
  low: Amounts
  /** What is held for the first call: where that does not fit, the run ends before it has cost anything. */
  first: Amounts
  /** The most that the calls can cost when nothing has to be repaired. */
  most: Amounts
  /** The most with every repair that the package allows. */
  mostWithRepairs: Amounts
}

export type EstimatePorts = Pick<
  Ports,
  | 'specifications'
  | 'slots'
  | 'industries'
  | 'kinds'
  | 'evidence'
  | 'history'
  | 'modules'
  | 'content'
  | 'engine'
  | 'judge'
  | 'embedder'
  | 'clock'
>

/**
 * Goes the first three stages of a run without leaving a trace, and asks the engine what each call of
 * its package can cost at most. Throws what those stages throw for a run that could not begin.
 */
export async function estimateRun(
  ports: EstimatePorts,
  run: RunFacts,
  signal: AbortSignal,
): Promise<RunEstimate> {
  const { engine, clock, kinds } = ports
  const dry = { ...ports, slots: allSlotsFree }
  const input = { run, epoch: 1 }
  const retrieved = outputOf(await retrieve.run(input, dry, signal))
  const claimed = outputOf(await cadence.run({ ...input, retrieve: retrieved }, dry, signal))
  const stages = { ...input, retrieve: retrieved, cadence: claimed }
  const { packageHash } = outputOf(await assemble.run(stages, dry, signal))
  // Known to this process since it was assembled.
  const runPackage = await readPackage(ports.content, run.tenantId, packageHash)

  const now = clock.now()
  const { maxOutputTokens, repairs } = runPackage.limits
  const kind = kinds.get(runPackage.output.kind)
  const reading = (inputTokens: number) => readingPrice(engine, inputTokens, now)
  const calls = kind.calls(runPackage).map((call, earlier) => {
    const request = requestOf(kind, runPackage, call, [])
    const bound = engine.estimate(request, now)
    // An engine that bills nothing for its request bills nothing for what it reads either.
    const isFree = bound.microUsd === 0 && bound.tokens === 0
    const input = isFree ? 0 : estimateTokens(engine.body(request))
    const answers = isFree ? 0 : earlier * maxOutputTokens
    return {
      low: { microUsd: isFree ? 0 : reading(input), tokens: input },
      most: {
        microUsd: bound.microUsd + (answers > 0 ? reading(answers) : 0),
        tokens: bound.tokens + answers,
      },
      isFree,
    }
  })
  const beside = [...(await judging(runPackage, ports, signal)), ...comparing(runPackage, ports)]
  const low = sumOf([...calls, ...beside].map((call) => call.low))
  const most = sumOf([...calls, ...beside].map((call) => call.most))
  // A repair is the last call again, with the whole draft as further input.
  const last = calls.at(-1)
  const draft = maxOutputTokens * calls.length
  const repair =
    !last || last.isFree
      ? nothing
      : {
          microUsd: last.most.microUsd + reading(draft),
          tokens: last.most.tokens + draft,
        }
  const mostWithRepairs = sumOf([most, ...Array.from({ length: repairs }, () => repair)])
  const first = calls[0]?.most ?? nothing
  return { periodKey: claimed.periodKey, low, first, most, mostWithRepairs }
}

const readingPrice = (engine: Engine, inputTokens: number, at: Date): number =>
  engine.price(
    { inputTokens, cachedInputTokens: 0, outputTokens: 0, estimated: true },
    { model: engine.model, tier: 'standard' },
    at,
  )

interface Range {
  low: Amounts
  most: Amounts
}

/** Two calls for each checklist that a model answers: the package, the document and the checks. */
async function judging(
  runPackage: RunPackage,
  { judge: { engine, checklists }, clock, kinds }: EstimatePorts,
  signal: AbortSignal,
): Promise<Range[]> {
  if ('none' in engine) return []
  const kind = kinds.get(runPackage.output.kind)
  const [now, document] = [clock.now(), runPackage.limits.maxOutputTokens]
  const ranges: Range[] = []
  for (const checklist of checklists.filter((one) => one.kind === kind.name)) {
    const checks = await checklist.checks(runPackage, signal).catch(unanswered)
    if (!checks) continue
    const inputs = ['', canonicalJson(checks)]
    const part = checklist.name
    const call: Call = { kind: 'judge', n: 1, part, brief: judgeBrief, inputHashes: [] }
    const request = requestOf(kind, runPackage, call, inputs)
    const bound = engine.estimate(request, now)
    const tokens = estimateTokens(engine.body(request))
    const range = {
      low: { microUsd: readingPrice(engine, tokens, now), tokens },
      most: {
        microUsd: bound.microUsd + readingPrice(engine, document, now),
        tokens: bound.tokens + document,
      },
    }
    ranges.push(range, range)
  }
  return ranges
}

/** A run whose checklist fails is not judged by it, and goes on. */
function unanswered(cause: unknown): undefined {
  if (!isAlmanacError(cause, 'PLUGIN_FAILED') && !isAlmanacError(cause, 'INPUT_INVALID'))
    throw cause
}

/** The vectors of this document and the one before it; where both say the same, nothing is asked. */
function comparing(
  { previousArtifactHash, limits }: RunPackage,
  { embedder, clock }: EstimatePorts,
): Range[] {
  if (!embedder || previousArtifactHash === undefined) return []
  const tokens = 2 * limits.maxOutputTokens
  return [{ low: nothing, most: { microUsd: readingPrice(embedder, tokens, clock.now()), tokens } }]
}

const nothing: Amounts = { microUsd: 0, tokens: 0 }

const sumOf = (parts: readonly Amounts[]): Amounts =>
  parts.reduce(
    (sum, { microUsd, tokens }) => ({
      microUsd: sum.microUsd + microUsd,
      tokens: sum.tokens + tokens,
    }),
    nothing,
  )

const allSlotsFree: Ports['slots'] = { claim: () => Promise.resolve({ claimed: true }) }

/** The output of a stage; the texts that it would store are let go. */
function outputOf<T>(result: T | WithTexts<T> | Park | Elsewhere): T {
  if (result instanceof Park || result instanceof Elsewhere)
    throw new Error('a stage of a dry run waits')
  return result instanceof WithTexts ? result.output : result
}
