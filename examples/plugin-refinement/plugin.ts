import {
  definePlugin,
  type MergeHook,
  type TerminationHook,
  type VariantHook,
} from '@almanac/plugin-api'

/** A brief for each metric, the one that costs most of the score first; findings go with the first. */
export const worstFirst: VariantHook = {
  name: 'worst-first',
  briefs({ evaluation, findings, count }) {
    const low = evaluation.metrics
      .filter(({ value, reasons }) => value < 1 && reasons.length > 0)
      .sort((a, b) => b.weight * (1 - b.value) - a.weight * (1 - a.value))
    const briefs = low.map(({ name, reasons }) => ({
      task: `Raise the ${name} of the document by closing what is named below, and change nothing else.`,
      findings: [] as (typeof findings)[number][],
      checks: reasons.map((reason) => ({ metric: name, reason })),
    }))
    const [
      first = { task: 'Close the findings, and change nothing else.', findings: [], checks: [] },
    ] = briefs
    if (briefs.length === 0 && findings.length === 0) return []
    return [{ ...first, findings: [...findings] }, ...briefs.slice(1)].slice(0, count)
  },
}

/** The best version, with every element that only others have: for what should leave nothing out. */
export const keepAll: MergeHook = {
  name: 'keep-all',
  merge({ variants }) {
    const ranked = [...variants].sort((a, b) => b.score - a.score || (a.id < b.id ? -1 : 1))
    const kept = new Map<string, (typeof variants)[number]['outline'][number]>()
    const parents: string[] = []
    for (const { id, outline } of ranked) {
      const fresh = outline.filter((one) => !kept.has(one.id))
      // The elements of an outline stand after those that they are in.
      for (const one of fresh) kept.set(one.id, one)
      if (fresh.length > 0) parents.push(id)
    }
    const elements = [...kept.values()].map(({ level, id, parentId, value }) => ({
      ...{ level, id, parentId, value },
    }))
    return { elements, parents }
  },
}

/** Leaves half of the root's budget for other things. */
export const halfSpent: TerminationHook = {
  name: 'half-spent',
  stops({ lineage: { spent, held }, limits }) {
    for (const unit of ['microUsd', 'tokens'] as const) {
      const used = spent[unit] + held[unit]
      if (used > 0 && used * 2 >= limits[unit])
        return `${used} of ${limits[unit]} ${unit === 'tokens' ? 'tokens' : 'micro-USD'} are used`
    }
    return null
  },
}

export default definePlugin({
  name: 'refinement-example',
  apiVersion: 1,
  hooks: { variants: [worstFirst], merges: [keepAll], terminations: [halfSpent] },
})
