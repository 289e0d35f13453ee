import type { RefinementLimits, Termination } from '@almanac/domain'
import type { ConditionVerdict, Lineage } from '@almanac/refinement'
import type { Strategies } from './strategies-port.ts'

/** What the conditions of plugins say of a lineage: for the guard, which asks nobody. */
export async function askConditions(
  termination: Termination,
  { lineage, limits }: { lineage: Lineage; limits: RefinementLimits },
  { terminations }: Pick<Strategies, 'terminations'>,
  signal: AbortSignal,
): Promise<ConditionVerdict[]> {
  const names = new Set(
    termination.flatMap((condition) => (condition.type === 'plugin' ? [condition.name] : [])),
  )
  const generation = lineage.depth
  const verdicts: ConditionVerdict[] = []
  for (const name of names) {
    const ask = terminations[name]
    if (!ask) throw new Error(`no plugin here brings the condition ${name}`)
    verdicts.push({ name, generation, because: await ask({ lineage, limits }, signal) })
  }
  return verdicts
}
