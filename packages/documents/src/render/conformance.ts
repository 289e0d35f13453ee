import type { Evaluation, Finding } from '@almanac/domain'

/** `1 item`, `3 items`. */
export const plural = (count: number, one: string, many = `${one}s`): string =>
  `${count} ${count === 1 ? one : many}`

/** Two decimals, cut and not rounded: a score below 1 never reads as 1. */
export const scoreText = (score: number): string =>
  (Math.floor(score * 100 + 1e-6) / 100).toFixed(2)

/** The conformance score of a `noun`, what it means, and the two metrics that lowered it most. */
export function conformanceText({ score, metrics }: Evaluation, noun: string): string[] {
  const lowered = metrics
    .filter(({ value, weight }) => value < 1 && weight > 0)
    .sort((a, b) => b.weight * (1 - b.value) - a.weight * (1 - a.value))
    .slice(0, 2)
    .map(({ name, value, reasons }) => {
      const why = reasons.length > 0 ? `: ${reasons.slice(0, 2).join('; ')}` : ''
      return `Lowered by ${name} (${scoreText(value)})${why}.`
    })
  return [
    `Conformance ${scoreText(score)} of 1: how fully the ${noun} does what its specification asks.`,
    ...(lowered.length > 0 ? lowered : ['Nothing lowered it.']),
  ]
}

/** What the validator left as warnings, the first few of them in words; undefined for none. */
export function warningText(
  findings: readonly Finding[],
  placeOf: (path: string) => string,
): string | undefined {
  const warnings = findings.filter(({ severity }) => severity === 'warning')
  if (warnings.length === 0) return undefined
  const shown = warnings.slice(0, 3).map(({ path, message }) => `${placeOf(path)}: ${message}`)
  const more = warnings.length > 3 ? ` and ${warnings.length - 3} more` : ''
  return `${plural(warnings.length, 'warning')}: ${shown.join('; ')}${more}.`
}
