import {
  variantStrategies,
  type RefinementStrategies,
  type VariantBrief,
  type VariantStrategy,
} from '@almanac/domain'
import { variantBriefs } from '@almanac/refinement'
import type { JudgedDocument } from './judged.ts'
import type { Strategies } from './strategies-port.ts'

/**
 * The briefs of the next generation, at most `count`, by the strategies that the specification names.
 * They share the variants out: each is asked, in the order in which it is named, for an even part of
 * those that are left, and what it does not use is for those after it. Almanac's own strategies count
 * as one, at the place of the first of them, and divide their part by what there is to gain.
 */
export async function planBriefs(
  { evaluation, findings, outline }: JudgedDocument,
  count: number,
  { variants: names = [...variantStrategies] }: RefinementStrategies,
  { variants: plugged }: Pick<Strategies, 'variants'>,
  signal: AbortSignal,
): Promise<VariantBrief[]> {
  const own = names.filter(isOwn)
  const askers = names.filter((name) => !isOwn(name) || name === own[0])
  const briefs: VariantBrief[] = []
  for (const [i, name] of askers.entries()) {
    const part = Math.ceil((count - briefs.length) / (askers.length - i))
    if (part === 0) break
    const ask = isOwn(name) ? undefined : plugged[name]
    const drafts = ask
      ? await ask({ evaluation, findings, outline, count: part }, signal)
      : variantBriefs({ evaluation, findings, outline }, part, own)
    briefs.push(...drafts.slice(0, part).map((draft) => ({ strategy: name, ...draft })))
  }
  return briefs
}

const isOwn = (name: string): name is VariantStrategy =>
  variantStrategies.some((strategy) => strategy === name)
