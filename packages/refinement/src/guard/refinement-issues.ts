import { limitsOf, type Issue, type Specification } from '@almanac/domain'
import { checkTermination } from './termination.ts'

/**
 * What is wrong with a specification's refinement, all at once: every condition that can never come true
 * within its limits, with what is allowed, and a root budget above that of the run.
 */
export function refinementIssues(body: Pick<Specification, 'refinement' | 'budget'>): Issue[] {
  const { refinement, budget } = body
  const limits = limitsOf(body)
  if (!refinement.enabled || !limits) return []
  const conditions = refinement.termination.flatMap((condition, i): Issue[] => {
    const checked = checkTermination([condition], limits)
    if (checked.ok) return []
    const { limit, value, allowed } = checked.refusal
    const message = `can never come true: ${limit} must be ${allowed}`
    return [{ field: `refinement.termination.${i}`, message, value }]
  })
  const budgets = (['microUsd', 'tokens'] as const).flatMap((unit): Issue[] =>
    limits[unit] <= budget[unit]
      ? []
      : [
          {
            field: `refinement.${unit}`,
            message: `must be at most budget.${unit}, which is ${budget[unit]}: a refinement is part of its run`,
            value: String(limits[unit]),
          },
        ],
  )
  const tooMany: Issue[] =
    limits.variants <= limits.maxChildren
      ? []
      : [
          {
            field: 'refinement.variants',
            message: `must be at most maxChildren, which is ${limits.maxChildren}: no generation would fit`,
            value: String(limits.variants),
          },
        ]
  return [...conditions, ...budgets, ...tooMany]
}
