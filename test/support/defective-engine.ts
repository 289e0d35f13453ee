import { reportDraft } from '@almanac/documents'
import type { Engine } from '@almanac/pipeline'

/**
 * An engine whose first draft is valid and leaves most out: of each section only the first item. That is
 * something for a refinement to do, and nothing for a repair. `slowly`: each generation of variants too
 * knows but one item a section more, so that one is not enough.
 */
export const withDefectiveDraft = (engine: Engine, { slowly = false } = {}): Engine => ({
  ...engine,
  generate: async (request, body, signal) => {
    const { call } = request
    const outcome = await engine.generate(request, body, signal)
    const isShort = call.kind === 'draft' || (slowly && call.kind === 'variant')
    if (!isShort || outcome.kind !== 'completed') return outcome
    const most = call.kind === 'draft' ? 1 : 1 + call.n
    const draft = reportDraft.parse(outcome.output)
    const sections = draft.sections.map((one) => ({ ...one, items: one.items.slice(0, most) }))
    return { ...outcome, output: { ...draft, sections } }
  },
})
