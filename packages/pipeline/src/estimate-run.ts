import type { TenantId } from '@almanac/domain'
import { sha256 } from '@almanac/domain/hash'
import { requestOf } from './calls/call-engine.ts'
import { readPackage } from './content.ts'
import { estimateTokens } from './evidence-choice.ts'
import type { Content, Ports, RunFacts } from './ports.ts'
import { Park } from './stage.ts'
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
  const dry = { ...ports, slots: allSlotsFree, content: dryContent(ports.content) }
  const input = { run, epoch: 1 }
  const retrieved = notParked(await retrieve.run(input, dry, signal))
  const claimed = notParked(await cadence.run({ ...input, retrieve: retrieved }, dry, signal))
  const stages = { ...input, retrieve: retrieved, cadence: claimed }
  const { packageHash } = notParked(await assemble.run(stages, dry, signal))
  const runPackage = await readPackage(dry.content, run.tenantId, packageHash)

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

/** Content that reads what is stored, and keeps what is put to itself. */
function dryContent(stored: Content): Content {
  const put = new Map<string, string>()
  return {
    put: (_, texts) => {
      const hashes = texts.map((text) => sha256(text))
      hashes.forEach((hash, i) => put.set(hash, texts[i] ?? ''))
      return Promise.resolve(hashes)
    },
    get: (tenantId: TenantId, hash) => {
      const text = put.get(hash)
      return text === undefined ? stored.get(tenantId, hash) : Promise.resolve(text)
    },
  }
}

function notParked<T>(result: T): Exclude<T, Park | { elsewhere: true }> {
  if (result instanceof Park) throw new Error('a stage of a dry run waits')
  return result as Exclude<T, Park | { elsewhere: true }>
}
