import type { RefinementLimits, StopReason, Termination } from '@almanac/domain'
import type { Lineage } from './lineage.ts'
import { bestOf, flatGenerations } from './termination.ts'
import { verdictOf, type ConditionVerdict } from './verdict.ts'

/**
 * Whether a refinement ends after a generation, and why; undefined when another may be asked for. Pure.
 * What was asked for (target, plateau, depth, ceiling) comes before what is merely used up. `verdicts` is
 * what the conditions of plugins said of this lineage; they come last, so that nobody need ask them where
 * something else ends it.
 */
export function shouldStop(
  lineage: Lineage,
  termination: Termination,
  limits: RefinementLimits,
  verdicts: readonly ConditionVerdict[] = [],
): StopReason | undefined {
  if (lineage.ended !== null) return lineage.ended
  if (lineage.checkpoint?.decision === 'denied' || lineage.checkpoint?.decision === 'cancelled')
    return 'denial'
  if (lineage.checkpoint?.decision === 'expired') return 'expiry'
  const wanted = termination.map((condition) => comeTrue(condition, lineage, limits))
  const met = order.find((reason) => wanted.includes(reason))
  if (met) return met
  if (lineage.deadlineAt !== null && Date.parse(lineage.deadlineAt) <= Date.parse(lineage.now))
    return 'deadline'
  if (lineage.depth >= limits.maxDepth) return 'depth'
  if (lineage.childrenGenerated >= limits.maxChildren) return 'children'
  if (lineage.spent.microUsd >= limits.microUsd && limits.microUsd > 0) return 'cost'
  if (lineage.spent.tokens >= limits.tokens) return 'cost'
  // A phase that stays as it was says nothing of what variants could do.
  const last = lineage.last?.kind === 'variant' ? lineage.last : null
  if (last?.done === 0) return 'no_children'
  // A generation from the same version again: only somebody who has asked for patience wants that.
  const patient = termination.some(({ type }) => type === 'quality_plateau')
  if (last?.merge === 'rejected' && !improved(lineage) && !patient) return 'merge_rejected'
  const said = (name: string) => verdictOf(verdicts, name, lineage.depth)?.because ?? null
  const isOver = termination.some((one) => one.type === 'plugin' && said(one.name) !== null)
  return isOver ? 'plugin' : undefined
}

const order = ['target', 'plateau', 'depth', 'cost'] as const

function comeTrue(
  condition: Termination[number],
  lineage: Lineage,
  limits: RefinementLimits,
): (typeof order)[number] | undefined {
  switch (condition.type) {
    case 'target_score':
      return bestOf(lineage).score >= condition.score ? 'target' : undefined
    case 'quality_plateau':
      return flatGenerations(lineage, condition.epsilon, limits.decay) >= condition.patience
        ? 'plateau'
        : undefined
    case 'depth_reached':
      return lineage.depth >= condition.depth ? 'depth' : undefined
    case 'cost_ceiling': {
      const { microUsd = Infinity, tokens = Infinity } = condition
      return lineage.spent.microUsd >= microUsd || lineage.spent.tokens >= tokens
        ? 'cost'
        : undefined
    }
    case 'plugin':
      return undefined
  }
}

const improved = ({ bests }: Lineage): boolean => bests.at(-1)?.id !== bests.at(-2)?.id
