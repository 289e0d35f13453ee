import type { PriceRow } from './prices.ts'

interface Listed {
  model: string
  from: string
  /** US dollars per million tokens: input, cached input, output. */
  usd: readonly [number, number, number]
  /** Dollars per million tokens written to the cache, where that costs more than input. */
  cacheWrite?: number
  /** Whether the model can be had in the flex tier. */
  flex?: false
}

/**
 * OpenAI's list prices, as read in November 2026 (developers.openai.com/api/docs/pricing), for prompts
 * of up to 272,000 tokens: longer ones cost more, and no run package is as long. `from` is the day of
 * the model's release, or of its last change of price.
 */
const listed: readonly Listed[] = [
  { model: 'gpt-4.1', from: '2025-04-14', usd: [2, 0.5, 8], flex: false },
  { model: 'gpt-4.1-mini', from: '2025-04-14', usd: [0.4, 0.1, 1.6], flex: false },
  { model: 'gpt-4.1-nano', from: '2025-04-14', usd: [0.1, 0.025, 0.4], flex: false },
  { model: 'gpt-4o', from: '2024-10-02', usd: [2.5, 1.25, 10], flex: false },
  { model: 'gpt-4o-mini', from: '2024-10-02', usd: [0.15, 0.075, 0.6], flex: false },
  { model: 'o3', from: '2025-06-10', usd: [2, 0.5, 8] },
  { model: 'o4-mini', from: '2025-04-16', usd: [1.1, 0.275, 4.4] },
  { model: 'gpt-5', from: '2025-08-07', usd: [1.25, 0.125, 10] },
  { model: 'gpt-5-mini', from: '2025-08-07', usd: [0.25, 0.025, 2] },
  { model: 'gpt-5-nano', from: '2025-08-07', usd: [0.05, 0.005, 0.4] },
  { model: 'gpt-5.1', from: '2025-11-13', usd: [1.25, 0.125, 10] },
  { model: 'gpt-5.2', from: '2025-12-11', usd: [1.75, 0.175, 14] },
  { model: 'gpt-5.4', from: '2026-03-05', usd: [2.5, 0.25, 15] },
  { model: 'gpt-5.4-mini', from: '2026-03-17', usd: [0.75, 0.075, 4.5] },
  { model: 'gpt-5.4-nano', from: '2026-03-17', usd: [0.2, 0.02, 1.25] },
  { model: 'gpt-5.5', from: '2026-04-23', usd: [5, 0.5, 30] },
  { model: 'gpt-5.6-luna', from: '2026-07-30', usd: [0.2, 0.02, 1.2], cacheWrite: 0.25 },
  { model: 'gpt-5.6-terra', from: '2026-07-30', usd: [2, 0.2, 12], cacheWrite: 2.5 },
  { model: 'gpt-5.6-sol', from: '2026-08-21', usd: [4, 0.4, 20], cacheWrite: 5 },
  { model: 'gpt-6-astra', from: '2026-11-01', usd: [10, 1, 50], cacheWrite: 12.5 },
]

const microUsd = (usd: number): number => Math.round(usd * 1_000_000)

function rowsOf({ model, from, usd, cacheWrite, flex }: Listed): PriceRow[] {
  const row = (tier: PriceRow['tier'], share: number): PriceRow => ({
    model,
    tier,
    from: `${from}T00:00:00Z`,
    until: null,
    input: microUsd(usd[0] * share),
    cachedInput: microUsd(usd[1] * share),
    output: microUsd(usd[2] * share),
    ...(cacheWrite === undefined ? {} : { cacheWrite: microUsd(cacheWrite * share) }),
  })
  return [row('standard', 1), row('batch', 0.5), ...(flex === false ? [] : [row('flex', 0.5)])]
}

/** The prices that Almanac knows by itself; operators may give others. Flex and batch cost half. */
export const openAiPrices: readonly PriceRow[] = listed.flatMap(rowsOf)

/** OpenAI's list prices of the models that embed, of the same page; they write nothing. */
const listedEmbeddings: readonly Listed[] = [
  { model: 'text-embedding-3-small', from: '2024-01-25', usd: [0.02, 0.02, 0], flex: false },
  { model: 'text-embedding-3-large', from: '2024-01-25', usd: [0.13, 0.13, 0], flex: false },
  { model: 'text-embedding-ada-002', from: '2023-06-13', usd: [0.1, 0.1, 0], flex: false },
]

/** The prices of models that embed: kept apart, so that none of them is taken for one that writes. */
export const openAiEmbeddingPrices: readonly PriceRow[] = listedEmbeddings.flatMap(rowsOf)
