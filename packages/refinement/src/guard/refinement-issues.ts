import { limitsOf, type Issue, type Specification } from '@almanac/domain'
import { checkTermination } from './termination.ts'

/**
 * What is wrong with a specification's refinement, all at once: every condition that can never come true
 * within its limits, with what is allowed, and a root budget above that of the run.
 */
export function refinementIssues(
  body: Pick<Specification, 'kind' | 'documentKind' | 'refinement' | 'budget'>,
): Issue[] {
  const { refinement, budget } = body
  const limits = limitsOf(body)
  if (!refinement.enabled || !limits) return []
  const conditions = refinement.termination.flatMap((condition, i): Issue[] => {
    if (condition.type === 'plugin') return []
    const checked = checkTermination([condition], limits)
    if (checked.ok) return []
    const { limit, value, allowed } = checked.refusal
    const message = `can never come true: ${limit} must be ${allowed}`
    return [{ field: `refinement.termination.${i}`, message, value }]
  })
  const isOwn = refinement.termination.some(({ type }) => type !== 'plugin')
  const onlyPlugins: Issue[] = isOwn
    ? []
    : [
        {
          field: 'refinement.termination',
          message:
            'must hold a condition of Almanac’s own beside those of plugins: depth_reached, cost_ceiling, quality_plateau or target_score',
        },
      ]
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
  return [...conditions, ...onlyPlugins, ...budgets, ...tooMany, ...expansionIssues(body)]
}

/** What is wrong with `expandAbove`: where nothing can be expanded, and where nothing else would be done. */
function expansionIssues({
  kind,
  documentKind,
  refinement,
}: Pick<Specification, 'kind' | 'documentKind' | 'refinement'>): Issue[] {
  const { expandAbove, termination = [] } = refinement
  if (expandAbove === undefined) return []
  const misplaced: Issue[] =
    kind === 'workflow' && documentKind === undefined
      ? []
      : [
          {
            field: 'refinement.expandAbove',
            message:
              'must be left out: only Almanac’s own workflows have phases that can be expanded',
            value: String(expandAbove),
          },
        ]
  const impatient = termination.flatMap((condition, i): Issue[] =>
    condition.type === 'quality_plateau' && condition.patience === 1
      ? [
          {
            field: `refinement.termination.${i}.patience`,
            message:
              'must be 2 or more with expandAbove: expanding phases is a generation that raises no score',
            value: '1',
          },
        ]
      : [],
  )
  return [...misplaced, ...impatient]
}
