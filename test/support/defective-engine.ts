import {
  makingPhaseOf,
  reportDraft,
  workflowOutlineDraft,
  workflowTasksDraft,
  type Call,
} from '@almanac/documents'
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

/**
 * An engine whose first workflow is valid and leaves something to do for every strategy: nothing makes
 * sure of the conditions that the purpose states, every second task has vague steps, and the form is not
 * the one that the style asks for.
 */
export const withDefectiveWorkflow = (engine: Engine): Engine => ({
  ...engine,
  generate: async (request, body, signal) => {
    const outcome = await engine.generate(request, body, signal)
    return outcome.kind === 'completed'
      ? { ...outcome, output: spoiled(request.call, outcome.output) }
      : outcome
  },
})

function spoiled(call: Call, output: unknown): unknown {
  const phase = makingPhaseOf(call)
  if (phase === 'initialize') {
    const outline = workflowOutlineDraft.parse(output)
    const phases = outline.phases.filter(({ key }) => key !== 'phase-close')
    return { ...outline, phases, form: outline.form === 'narrative' ? 'steps' : 'narrative' }
  }
  if (phase !== 'how-to') return output
  const { tasks } = workflowTasksDraft.parse(output)
  const needed = new Set(tasks.flatMap(({ inputs }) => inputs))
  const kept = tasks.filter(
    ({ key, outputs }) =>
      !key.startsWith('condition-') || outputs.some((made) => needed.has(made.key)),
  )
  const vague = (i: number) => [`Deal with point ${i + 1} as appropriate`]
  return { tasks: kept.map((task, i) => (i % 2 === 0 ? task : { ...task, steps: vague(i) })) }
}
