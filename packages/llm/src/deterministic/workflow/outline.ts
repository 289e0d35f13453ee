import type { WorkflowOutlineDraft } from '@almanac/documents'
import type { Plan } from './plan.ts'

/** The answer of the phase `initialize`. */
export const composeOutline = ({
  voice,
  cast,
  phases,
  inputs,
  summary,
}: Plan): WorkflowOutlineDraft => ({
  summary,
  form: voice.style.form,
  roles: cast.roles,
  inputs,
  phases: phases.map(({ phase }) => phase),
})
