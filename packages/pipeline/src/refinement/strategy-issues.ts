import {
  mergeStrategies,
  variantStrategies,
  type Issue,
  type RefinementStrategies,
  type Termination,
} from '@almanac/domain'
import type { Strategies } from './strategies-port.ts'

/**
 * The names of strategies in a specification's refinement that nobody brings here, each with those that
 * there are; of one that is switched off too, for what is kept should be right.
 */
export function strategyIssues(
  {
    strategies = {},
    termination = [],
  }: { strategies?: RefinementStrategies; termination?: Termination | undefined },
  { variants, merges, terminations }: Strategies,
): Issue[] {
  return [
    ...(strategies.variants ?? []).flatMap((name, i) =>
      unknown(`strategies.variants.${i}`, name, [...variantStrategies, ...Object.keys(variants)]),
    ),
    ...(strategies.merge === undefined
      ? []
      : unknown('strategies.merge', strategies.merge, [
          ...mergeStrategies,
          ...Object.keys(merges),
        ])),
    ...termination.flatMap((condition, i) =>
      condition.type === 'plugin'
        ? unknown(`termination.${i}.name`, condition.name, Object.keys(terminations))
        : [],
    ),
  ]
}

function unknown(field: string, name: string, allowed: readonly string[]): Issue[] {
  if (allowed.includes(name)) return []
  const message =
    allowed.length > 0
      ? `must be one of ${allowed.join(', ')}`
      : 'names a condition of a plugin, and no plugin here brings one'
  return [{ field: `refinement.${field}`, message, value: JSON.stringify(name) }]
}
