import { z } from 'zod'

/** An amount of money in integer micro-USD: 1 000 000 is one dollar. */
export const microUsd = z.int({ error: 'must be a whole number of micro-USD' }).min(0)

/** `$0.0312`: two significant digits below a cent, cents above; zero is `$0`. */
export function formatMicroUsd(amount: number): string {
  const dollars = amount / 1_000_000
  if (amount === 0) return '$0'
  if (Math.abs(dollars) >= 0.01) return `$${dollars.toFixed(2)}`
  return `$${Number(dollars.toPrecision(2)).toFixed(Math.max(2, 1 - Math.floor(Math.log10(Math.abs(dollars)))))}`
}
