import { z } from 'zod'

/** An amount of money in integer micro-USD: 1 000 000 is one dollar. */
export const microUsd = z.int({ error: 'must be a whole number of micro-USD' }).min(0)

/** Micro-USD as dollars, exactly: -1234 is `-0.001234`. */
export function usdText(amount: number): string {
  const digits = String(Math.abs(amount)).padStart(7, '0')
  return `${amount < 0 ? '-' : ''}${digits.slice(0, -6)}.${digits.slice(-6)}`
}
