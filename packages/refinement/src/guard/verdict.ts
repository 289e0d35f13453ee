import { catalogueKey, plainLine } from '@almanac/domain'
import { z } from 'zod'

/**
 * What a plugin's condition said of a lineage. The guard calls no plugin: whoever asks it for a decision
 * has asked the plugin before, and hands the answer in, which is recorded with the decision.
 */
export const conditionVerdict = z.strictObject({
  /** The condition's name. */
  name: catalogueKey,
  /** The generations that the lineage had; of another number, the verdict is of no use. */
  generation: z.int().min(0),
  /** Why the refinement ends, in one line; null while it may go on. */
  because: z.nullable(plainLine(500)),
})
export type ConditionVerdict = z.output<typeof conditionVerdict>

/** At most so many are looked at: as many as there may be conditions. */
export const conditionVerdicts = z.array(conditionVerdict).max(8)

/** The verdict of a condition after just these generations. */
export const verdictOf = (
  verdicts: readonly ConditionVerdict[],
  condition: string,
  generations: number,
): ConditionVerdict | undefined =>
  verdicts.find(({ name, generation }) => name === condition && generation === generations)
