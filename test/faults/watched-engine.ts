import { createOpenAiEngine, openAiPrices, type OpenAiOptions } from '@almanac/llm/openai'
import type { Engine, Outcome } from '@almanac/pipeline'
import type { LogEntry, Simulator } from '@almanac/simulator'
import type { FaultRow } from './fault-table.ts'

/** The model that the fault table asks for. */
export const model = 'gpt-5.4-mini'

/** The real engine against a simulator, which notes every outcome. */
export interface WatchedEngine {
  engine: Engine
  outcomes: Outcome[]
}

export function createWatchedEngine(
  now: Date,
  options: Pick<OpenAiOptions, 'baseUrl'> & Partial<OpenAiOptions>,
): WatchedEngine {
  const openAi = createOpenAiEngine(
    { now },
    { api: 'responses', model, apiKey: 'sk-simulated', prices: openAiPrices, ...options },
  )
  const outcomes: Outcome[] = []
  const generate: Engine['generate'] = async (...call) => {
    const outcome = await openAi.generate(...call)
    outcomes.push(outcome)
    return outcome
  }
  return { engine: { ...openAi, generate }, outcomes }
}

/** A row of the table with a key of its own, by which the simulator tells its requests from others. */
export interface FaultCase {
  row: FaultRow
  apiKey: string
}

/** Has the simulator play the row's fault for the key of the case. */
export function playFault({ control }: Simulator, { row, apiKey }: FaultCase): void {
  const { fault, times = 1 } = row
  control.addFaults({ fault, times, match: { apiKeyContains: apiKey } })
}

/** The requests of a case, when all of them have ended. */
export async function requestsOf(
  { log }: Simulator,
  { apiKey }: Pick<FaultCase, 'apiKey'>,
): Promise<LogEntry[]> {
  await log.idle()
  return log.entries().filter((entry) => entry.apiKey === apiKey.slice(-4))
}

type Tokens = NonNullable<LogEntry['billed']>

/**
 * What tokens cost by the price rows, computed apart from the code that is tested: whole micro-USD,
 * each call rounded up.
 */
export function microUsdOf({ inputTokens, cachedTokens, outputTokens }: Tokens): number {
  const [row, ...more] = openAiPrices.filter(
    (one) => one.model === model && one.tier === 'standard' && one.until === null,
  )
  if (!row || more.length > 0) throw new Error(`${model} has not one price`)
  const millionths =
    BigInt(inputTokens - cachedTokens) * BigInt(row.input) +
    BigInt(cachedTokens) * BigInt(row.cachedInput) +
    BigInt(outputTokens) * BigInt(row.output)
  const whole = millionths / 1_000_000n
  return Number(whole * 1_000_000n === millionths ? whole : whole + 1n)
}
