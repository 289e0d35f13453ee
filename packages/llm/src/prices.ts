import { AlmanacError, parse, type Issue } from '@almanac/domain'
import type { Usage } from '@almanac/pipeline'
import { z } from 'zod'

/** How a provider serves a call; `standard` is what OpenAI's wire calls `default`. */
export const priceTiers = ['standard', 'flex', 'batch'] as const
export type PriceTier = (typeof priceTiers)[number]

const perMillion = z.int({ error: 'must be whole micro-USD per million tokens' }).min(0)
const instant = z.iso.datetime({ error: 'must be an instant such as 2026-11-21T00:00:00Z' })

/**
 * What a model costs in one tier while the row holds: in [from, until), for ever where `until` is
 * null. Prices are micro-USD per million tokens, so 1250000 is $1.25. `cacheWrite` is stated where a
 * provider charges more for input that it puts into its cache.
 */
export const priceRow = z
  .strictObject({
    model: z.string().min(1).max(200),
    tier: z.enum(priceTiers),
    from: instant,
    until: z.nullable(instant),
    input: perMillion,
    cachedInput: perMillion,
    output: perMillion,
    cacheWrite: perMillion.optional(),
  })
  .refine(({ from, until }) => until === null || Date.parse(from) < Date.parse(until), {
    error: 'must end after it begins',
    path: ['until'],
  })
export type PriceRow = z.output<typeof priceRow>

/** Reads price rows; throws INPUT_INVALID with every field that is wrong and every pair that overlaps. */
export function parsePriceRows(input: unknown): PriceRow[] {
  const rows = parse(z.array(priceRow).min(1), input, 'prices')
  const issues = rows.flatMap((row, i) =>
    rows.slice(0, i).flatMap((other, j): Issue[] => {
      if (!overlaps(row, other)) return []
      const message = `must not overlap with prices.${j} (${rangeOf(other)}), for ${row.model} in the tier ${row.tier}`
      return [{ field: `prices.${i}`, message, value: rangeOf(row) }]
    }),
  )
  if (issues.length > 0) throw new AlmanacError('INPUT_INVALID', { issues })
  return rows
}

const rangeOf = ({ from, until }: PriceRow): string => `${from} to ${until ?? 'ever'}`

/** The known rows with those of an operator: a model that the operator prices has no other price. */
export function withOwnPrices(own: readonly PriceRow[], known: readonly PriceRow[]): PriceRow[] {
  const models = new Set(own.map(({ model }) => model))
  return [...own, ...known.filter(({ model }) => !models.has(model))]
}

const overlaps = (a: PriceRow, b: PriceRow): boolean =>
  a.model === b.model && a.tier === b.tier && begins(a) < ends(b) && begins(b) < ends(a)

const begins = ({ from }: PriceRow): number => Date.parse(from)
const ends = ({ until }: PriceRow): number =>
  until === null ? Number.POSITIVE_INFINITY : Date.parse(until)

/** A dated snapshot, `gpt-5.4-2026-03-05`, costs what its model does. */
const snapshot = /-\d{4}-\d{2}-\d{2}$/

/** The row that holds at `at`; one for the snapshot itself before one for its model. */
export function findPrice(
  rows: readonly PriceRow[],
  model: string,
  tier: PriceTier,
  at: Date,
): PriceRow | undefined {
  const time = at.getTime()
  const holding = rows.filter((row) => row.tier === tier && begins(row) <= time && time < ends(row))
  return (
    holding.find((row) => row.model === model) ??
    holding.find((row) => row.model === model.replace(snapshot, ''))
  )
}

/** Like `findPrice`; throws INPUT_INVALID where no row holds: an unknown model is refused, never free. */
export function getPrice(
  rows: readonly PriceRow[],
  model: string,
  tier: PriceTier,
  at: Date,
): PriceRow {
  const row = findPrice(rows, model, tier, at)
  if (row) return row
  const known = [...new Set(rows.filter((one) => one.tier === tier).map((one) => one.model))]
  const message = `has no price in the tier ${tier} at ${at.toISOString()}; priced are: ${known.join(', ') || 'none'}`
  throw new AlmanacError('INPUT_INVALID', {
    issues: [{ field: 'model', message, value: JSON.stringify(model) }],
  })
}

/**
 * What a usage costs, in integer micro-USD: the exact sum of its parts, rounded up once, so that no
 * call is cheaper than its price. Cached tokens are part of the input tokens. Throws INPUT_INVALID.
 */
export function priceAt(
  rows: readonly PriceRow[],
  model: string,
  tier: PriceTier,
  at: Date,
  usage: Usage,
): number {
  return costOf(getPrice(rows, model, tier, at), usage)
}

/** What a usage costs at the prices of one row; see `priceAt`. */
export function costOf(row: PriceRow, usage: Usage): number {
  const cached = Math.min(usage.cachedInputTokens, usage.inputTokens)
  const parts: [number, number][] = [
    [usage.inputTokens - cached, row.input],
    [cached, row.cachedInput],
    [usage.outputTokens, row.output],
  ]
  // Tokens times a price may pass 2^53.
  const sum = parts.reduce((total, [tokens, price]) => total + BigInt(tokens) * BigInt(price), 0n)
  return Number((sum + 999_999n) / 1_000_000n)
}
