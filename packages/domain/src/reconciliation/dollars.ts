import { z } from 'zod'

/** Money in 10⁻¹² dollars: providers bill single calls in fractions of a micro-USD, which must add up. */
export type PicoUsd = bigint

const decimal = /^(\d{1,12})(?:\.(\d{1,18}))?(?:[eE]([+-]?\d{1,2}))?$/

/** Dollars as a decimal text or a number, exactly; below a trillionth of a dollar they are cut off. */
export const dollars = z.union([z.number(), z.string()]).transform((value, context): PicoUsd => {
  const [, whole, fraction = '', exponent = '0'] = decimal.exec(String(value).trim()) ?? []
  if (whole !== undefined) {
    const shift = 12 + Number(exponent) - fraction.length
    const digits = BigInt(whole + fraction)
    return shift >= 0 ? digits * 10n ** BigInt(shift) : digits / 10n ** BigInt(-shift)
  }
  context.addIssue({ code: 'custom', message: 'must be dollars such as 0.012345, not negative' })
  return z.NEVER
})

/** Rounded to the nearest micro-USD. */
export const toMicroUsd = (amount: PicoUsd): number => Number((amount + 500_000n) / 1_000_000n)
