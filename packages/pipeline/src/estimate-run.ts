import { requestOf } from './calls/call-engine.ts'
import { readPackage } from './content.ts'
import { estimateTokens } from './evidence-choice.ts'
import type { Ports, RunFacts } from './ports.ts'
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
  const reading = (inputTokens: number): number =>
    engine.price(
      { inputTokens, cachedInputTokens: 0, outputTokens: 0, estimated: true },
      { model: engine.model, tier: 'standard' },
      now,
    )
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
  const low = sumOf(calls.map((call) => call.low))
  const most = sumOf(calls.map((call) => call.most))
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
