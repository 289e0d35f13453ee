import type { DocumentKinds } from '@almanac/documents'
import {
  isAlmanacError,
  pluginKindName,
  refinementStrategies,
  runBudget,
  specificationRefinement,
  terminationCondition,
  type Issue,
} from '@almanac/domain'
import { refinementIssues, strategyIssues } from '@almanac/pipeline'
import { z } from 'zod'
import type { ApiParts } from '../parts.ts'
import { catalogueIssues } from './catalogue-issues.ts'

/** A condition of the wrong form is the schema's to refuse; here it keeps the others in their places. */
const condition = terminationCondition.catch({ type: 'target_score', score: 1 })
const conditions = z.looseObject({ termination: z.array(condition) })

/** The parts of a specification that limit its refinement, whatever else is wrong with it. */
const refining = z.object({
  kind: z.enum(['report', 'workflow']),
  refinement: z.preprocess(
    (sent) => conditions.safeParse(sent).data ?? sent,
    specificationRefinement,
  ),
  // One of the wrong form limits nothing here.
  budget: runBudget.prefault({}).catch({ microUsd: 1_000_000_000, tokens: 10_000_000 }),
})

/** The strategies that a specification names, whatever else is wrong with its refinement. */
const naming = z.object({
  refinement: z.object({
    strategies: refinementStrategies.prefault({}).catch({}),
    termination: z.array(condition).catch([]),
  }),
})

/**
 * What a specification asks for that its schema cannot know to be wrong: names that no catalogue, kind of
 * document or strategy here has, and a refinement that nothing would end. Takes the body as it was sent,
 * so that these problems are reported together with those of its form.
 */
export const specificationIssues =
  ({ kinds, strategies }: Pick<ApiParts, 'kinds' | 'strategies'>) =>
  (body: unknown): Issue[] => {
    const { data: refined } = refining.safeParse(body)
    const { data: named } = naming.safeParse(body)
    return [
      ...catalogueIssues(body),
      ...kindIssues(kinds, body),
      ...(refined ? refinementIssues(refined) : []),
      ...(named ? strategyIssues(named.refinement, strategies) : []),
    ]
  }

/** A kind that no plugin here brings is refused when it is ordered, and not by every run. */
function kindIssues(kinds: DocumentKinds, body: unknown): Issue[] {
  const { data } = z.object({ documentKind: pluginKindName }).safeParse(body)
  if (!data) return []
  try {
    kinds.get(data.documentKind)
    return []
  } catch (error) {
    if (isAlmanacError(error, 'INPUT_INVALID')) return [...error.params.issues]
    throw error
  }
}
