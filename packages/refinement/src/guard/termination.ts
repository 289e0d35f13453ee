import {
  termination as terminationSchema,
  type RefinementLimits,
  type Termination,
  type TerminationCondition,
} from '@almanac/domain'
import { effectiveScore } from './effective-score.ts'
import type { Lineage } from './lineage.ts'
import { refusal, type Refusal } from './refusal.ts'
import { verdictOf, type ConditionVerdict } from './verdict.ts'

export type TerminationCheck =
  { ok: true; termination: Termination } | { ok: false; refusal: Refusal }

const no = (refused: Refusal): TerminationCheck => ({ ok: false, refusal: refused })

/**
 * Reads termination conditions and asks of each whether it can still come true: within the limits, and,
 * where a lineage is given, after what it has already used and `children` more. Of a plugin's condition
 * nobody can tell, so that one of Almanac's own must stand beside it; what it said of this very lineage
 * must be among `verdicts`. Total.
 */
export function checkTermination(
  input: unknown,
  limits: RefinementLimits,
  at?: Situation,
): TerminationCheck {
  if (input === undefined || input === null)
    return no(refusal('TERMINATION_MISSING', 'termination', 'nothing', 'at least one condition'))
  if (Array.isArray(input) && input.length === 0)
    return no(
      refusal('TERMINATION_MISSING', 'termination', 'an empty list', 'at least one condition'),
    )
  const parsed = terminationSchema.safeParse(input)
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    const where = ['termination', ...(issue?.path.map(String) ?? [])].join('.')
    const allowed =
      'depth_reached, cost_ceiling, quality_plateau, target_score or plugin with its values'
    return no(refusal('TERMINATION_INVALID', where, issue?.message, allowed))
  }
  if (parsed.data.every(({ type }) => type === 'plugin'))
    return no(never('termination', 'only conditions of plugins', ownBesides))
  for (const condition of parsed.data) {
    const refused = impossible(condition, limits) ?? (at && unreachable(condition, limits, at))
    if (refused) return no(refused)
  }
  return { ok: true, termination: parsed.data }
}

/** Where a lineage stands when a generation is asked for. */
interface Situation {
  lineage: Lineage
  children: number
  verdicts?: readonly ConditionVerdict[]
}

const ownBesides = 'at least one of depth_reached, cost_ceiling, quality_plateau, target_score'

const never = (limit: string, value: unknown, allowed: string) =>
  refusal('TERMINATION_IMPOSSIBLE', limit, value, allowed)
const already = (limit: string, value: unknown, allowed: string) =>
  refusal('TERMINATION_MET', limit, value, allowed)

/** What can never come true, whatever the refinement does. */
function impossible(
  condition: TerminationCondition,
  limits: RefinementLimits,
): Refusal | undefined {
  switch (condition.type) {
    case 'depth_reached': {
      const { depth } = condition
      if (depth >= 1 && depth <= limits.maxDepth) return undefined
      return never('depth_reached.depth', depth, `1 to maxDepth, which is ${limits.maxDepth}`)
    }
    case 'cost_ceiling': {
      const { microUsd, tokens } = condition
      if (microUsd === undefined && tokens === undefined)
        return never('cost_ceiling', 'no ceiling', 'microUsd, tokens or both')
      if (microUsd !== undefined && (microUsd < 1 || microUsd > limits.microUsd))
        return never(
          'cost_ceiling.microUsd',
          microUsd,
          `1 to the root budget of ${limits.microUsd} micro-USD`,
        )
      if (tokens !== undefined && (tokens < 1 || tokens > limits.tokens))
        return never(
          'cost_ceiling.tokens',
          tokens,
          `1 to the root budget of ${limits.tokens} tokens`,
        )
      return undefined
    }
    case 'quality_plateau': {
      const { epsilon, patience } = condition
      if (!(epsilon >= 0 && epsilon < 1))
        return never('quality_plateau.epsilon', epsilon, '0 or more, and less than 1')
      if (patience >= 1 && patience <= limits.maxDepth) return undefined
      return never(
        'quality_plateau.patience',
        patience,
        `1 to maxDepth, which is ${limits.maxDepth}`,
      )
    }
    case 'target_score': {
      const { score } = condition
      return score > 0 && score <= 1
        ? undefined
        : never('target_score.score', score, 'more than 0, at most 1')
    }
    case 'plugin':
      return undefined
  }
}

/** What has already come true, or cannot any more after what the lineage has used. */
function unreachable(
  condition: TerminationCondition,
  limits: RefinementLimits,
  { lineage, children, verdicts = [] }: Situation,
): Refusal | undefined {
  // After this generation, one of a single child each is the least that could follow.
  const later = Math.max(0, limits.maxChildren - lineage.childrenGenerated - children)
  const deepest = Math.min(limits.maxDepth, lineage.depth + 1 + later)
  switch (condition.type) {
    case 'depth_reached':
      if (condition.depth <= lineage.depth)
        return already(
          'depth_reached.depth',
          condition.depth,
          `more than ${lineage.depth}, the present depth`,
        )
      if (condition.depth > deepest)
        return never(
          'depth_reached.depth',
          condition.depth,
          `at most ${deepest} with the children that are left`,
        )
      return undefined
    case 'cost_ceiling':
      for (const unit of ['microUsd', 'tokens'] as const) {
        const ceiling = condition[unit]
        if (ceiling !== undefined && ceiling <= lineage.spent[unit])
          return already(
            `cost_ceiling.${unit}`,
            ceiling,
            `more than ${lineage.spent[unit]}, which is spent`,
          )
      }
      return undefined
    case 'quality_plateau': {
      const flat = flatGenerations(lineage, condition.epsilon, limits.decay)
      if (flat >= condition.patience)
        return already(
          'quality_plateau.patience',
          condition.patience,
          `more than ${flat}, the generations without gain`,
        )
      if (condition.patience > deepest - lineage.depth + flat)
        return never(
          'quality_plateau.patience',
          condition.patience,
          `at most ${deepest - lineage.depth + flat} with the generations that are left`,
        )
      return undefined
    }
    case 'target_score': {
      const best = bestOf(lineage)
      if (condition.score <= best.score)
        return already(
          'target_score.score',
          condition.score,
          `more than ${best.score}, the present score`,
        )
      return undefined
    }
    case 'plugin': {
      const { name } = condition
      const verdict = verdictOf(verdicts, name, lineage.depth)
      if (!verdict) {
        const wanted = `what it says after generation ${lineage.depth}`
        return refusal('TERMINATION_INVALID', `plugin.${name}`, 'no verdict', wanted)
      }
      return verdict.because === null
        ? undefined
        : already(`plugin.${name}`, verdict.because, 'a condition that has not come true')
    }
  }
}

/** The best version that a lineage has. */
export function bestOf({ bests }: Pick<Lineage, 'bests'>): Lineage['bests'][number] {
  const best = bests.at(-1)
  if (!best) throw new Error('a lineage without versions')
  return best
}

/** How many generations up to now have raised the best effective score by no more than `epsilon`. */
export function flatGenerations(
  { bests }: Pick<Lineage, 'bests'>,
  epsilon: number,
  decay: number,
): number {
  const worth = bests.map(({ score, depth }) => effectiveScore(score, depth, decay))
  let flat = 0
  for (let i = worth.length - 1; i > 0; i -= 1) {
    if ((worth[i] ?? 0) - (worth[i - 1] ?? 0) > epsilon) break
    flat += 1
  }
  return flat
}
