import { AlmanacError, type RunPackage, type WorkflowSpecification } from '@almanac/domain'
import type { Call } from '../kind.ts'
import { isExpansion } from './expansion/ask.ts'

/** The phases in which a workflow is made; each is a call of its own, and builds on those before. */
export const makingPhases = ['initialize', 'how-to', 'modularize'] as const
export type MakingPhase = (typeof makingPhases)[number]

/** The fields of the draft that each phase answers. */
export const phaseFields = {
  initialize: ['summary', 'form', 'roles', 'inputs', 'phases'],
  'how-to': ['tasks'],
  modularize: ['modules'],
} as const satisfies Record<MakingPhase, readonly string[]>

/** The fields that are answered where a phase is expanded. */
const expansionFields = ['phases', 'tasks'] as const

const briefs: Record<MakingPhase, string> = {
  initialize:
    'Phase initialize: read purpose, audience and style, and lay the workflow out: its summary, form, roles, inputs and phases. Answer only these fields.',
  'how-to':
    'Phase how-to: input 1 is the outline that was laid out. Write the tasks of all its phases. Answer only the tasks.',
  modularize:
    'Phase modularize: input 1 is the outline, input 2 the tasks. Group the tasks into modules, use the registered modules of the run package, and say what depends on what. Answer only the modules.',
}

/** The calls that make a workflow, in order; each is given the answers of those before it. */
export const workflowCalls: readonly Call[] = makingPhases.map((part) => ({
  kind: 'phase',
  n: 1,
  part,
  brief: briefs[part],
  inputHashes: [],
}))

/** The phase that a call is for; undefined for one that answers the whole document. */
export const makingPhaseOf = ({ kind, part }: Call): MakingPhase | undefined =>
  kind === 'phase' ? makingPhases.find((phase) => phase === part) : undefined

/** The fields of a draft that a call answers; undefined for one that answers the whole document. */
export function answeredFields(call: Call): readonly string[] | undefined {
  if (isExpansion(call)) return expansionFields
  const phase = makingPhaseOf(call)
  return phase && phaseFields[phase]
}

/** The specification of a workflow's package; throws INPUT_INVALID for one of another kind. */
export function workflowSpecificationOf({
  specification: { body },
}: Pick<RunPackage, 'specification'>): WorkflowSpecification {
  if (body.kind === 'workflow') return body
  const message = 'must be a workflow: a workflow cannot be made from another specification'
  throw new AlmanacError('INPUT_INVALID', {
    issues: [{ field: 'specification.kind', message, value: JSON.stringify(body.kind) }],
  })
}
