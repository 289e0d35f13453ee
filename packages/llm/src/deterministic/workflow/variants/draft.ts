import type { WorkflowContent, WorkflowDraft, WorkflowOutlineDraft } from '@almanac/documents'

type Identified<T> = Omit<T, 'id'> & { key: string }

/** A part of a workflow as engines write it: what is its id is their key. */
export const keyed = <T extends { id: string }>({ id, ...rest }: T): Identified<T> => ({
  key: id,
  ...rest,
})

/** A part of a draft as it is stored. */
export const identified = <T extends { key: string }>({
  key,
  ...rest
}: T): Omit<T, 'key'> & { id: string } => ({ id: key, ...rest })

/** What the phase `initialize` would have answered for a workflow. */
export const outlineOf = ({
  summary,
  form,
  roles,
  inputs,
  phases,
}: WorkflowContent): WorkflowOutlineDraft => ({
  summary,
  form,
  roles: roles.map(keyed),
  inputs: inputs.map(keyed),
  phases: phases.map(({ id, name, kind, goal }) => ({ key: id, name, kind, goal })),
})

/** A stored workflow as the draft that it could have been read from. */
export const draftOf = (workflow: WorkflowContent): WorkflowDraft => ({
  ...outlineOf(workflow),
  tasks: workflow.phases.flatMap((phase) =>
    phase.tasks.map(({ outputs, ...task }) => ({
      ...keyed(task),
      phase: phase.id,
      outputs: outputs.map(keyed),
    })),
  ),
  modules: workflow.modules.map(keyed),
})
