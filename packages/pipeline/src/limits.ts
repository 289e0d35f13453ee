import type { RunPackage, Specification } from '@almanac/domain'

/** The limits that a package states; the engine is told them, the validator holds it to them. */
export function packageLimits({ budget }: Specification): RunPackage['limits'] {
  return {
    maxPackageTokens: 60_000,
    maxOutputTokens: 16_000,
    maxItemsPerSection: 40,
    maxSummaryLines: 5,
    repairs: 2,
    runMicroUsd: budget.microUsd,
    runTokens: budget.tokens,
  }
}
