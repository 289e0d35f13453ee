/** What a workflow may hold; more is a finding. Characters are UTF-16 units. */
export const workflowLimits = {
  summaryCharacters: 900,
  nameCharacters: 120,
  /** Of a step, a goal, a purpose, a duty, a note, and of how one sees that a task is done. */
  sentenceCharacters: 400,
  keyCharacters: 48,
  roles: 12,
  inputs: 24,
  phases: 12,
  steps: 12,
  /** Inputs or outputs of one task. */
  links: 12,
  modules: 60,
} as const
