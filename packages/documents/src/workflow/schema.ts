import { catalogueKey, phaseKinds } from '@almanac/domain'
import { z } from 'zod'

/** The version of the shape below; a stored workflow names the one it was written in. */
export const workflowSchemaVersion = 1

/** How steps are written down: one after another, as boxes to tick, or as running text. */
export const workflowForms = ['steps', 'checklist', 'narrative'] as const
export type WorkflowForm = (typeof workflowForms)[number]

const named = { key: z.string(), name: z.string() }
const thing = z.strictObject(named)

/** What an engine answers in the phase `initialize`. */
export const workflowOutlineDraft = z.strictObject({
  /** Two or three sentences: what the workflow is for, for whom, and how it goes. */
  summary: z.string(),
  form: z.enum(workflowForms),
  roles: z.array(z.strictObject({ ...named, duty: z.string() })),
  /** What must be there before the first task. */
  inputs: z.array(thing),
  phases: z.array(z.strictObject({ ...named, kind: z.enum(phaseKinds), goal: z.string() })),
})

/** What an engine answers in the phase `how-to`. */
export const workflowTasksDraft = z.strictObject({
  tasks: z.array(
    z.strictObject({
      ...named,
      /** Key of a phase. */
      phase: z.string(),
      /** Key of a role. */
      role: z.string(),
      steps: z.array(z.string()),
      /** Keys of the workflow's inputs and of outputs of other tasks. */
      inputs: z.array(z.string()),
      outputs: z.array(thing),
      /** How one sees that the task is done. */
      done: z.string(),
      /** What this audience must be told besides; empty where nothing. */
      note: z.string(),
    }),
  ),
})

/** What an engine answers in the phase `modularize`. */
export const workflowModulesDraft = z.strictObject({
  modules: z.array(
    z.strictObject({
      ...named,
      phase: z.string(),
      purpose: z.string(),
      /** Key of a registered module of the package, which is then used as it is; else null. */
      registered: z.nullable(z.string()),
      /** Keys of the tasks that it holds; none where it is a registered one. */
      tasks: z.array(z.string()),
      /** Keys of the modules that must be finished before. */
      dependsOn: z.array(z.string()),
    }),
  ),
})

/** What an engine answers where a phase is expanded: the sub-phases, and the tasks of all of them. */
export const workflowPartsDraft = z.strictObject({
  phases: workflowOutlineDraft.shape.phases,
  tasks: workflowTasksDraft.shape.tasks,
})
export type WorkflowPartsDraft = z.output<typeof workflowPartsDraft>

/** The three answers as one: what a repair answers. */
export const workflowDraft = z.strictObject({
  ...workflowOutlineDraft.shape,
  ...workflowTasksDraft.shape,
  ...workflowModulesDraft.shape,
})
export type WorkflowOutlineDraft = z.output<typeof workflowOutlineDraft>
export type WorkflowTasksDraft = z.output<typeof workflowTasksDraft>
export type WorkflowModulesDraft = z.output<typeof workflowModulesDraft>
export type WorkflowDraft = z.output<typeof workflowDraft>

const text = z.string().min(1)
const identified = { id: catalogueKey, name: text }
const output = z.strictObject(identified)

const task = z.strictObject({
  ...identified,
  role: z.string(),
  steps: z.array(text),
  inputs: z.array(z.string()),
  outputs: z.array(output),
  done: text,
  note: z.string(),
})

const phase = z.strictObject({
  ...identified,
  kind: z.enum(phaseKinds),
  goal: text,
  /** Of a sub-phase: the phases that were expanded into it, the outermost first. */
  within: z
    .array(z.strictObject({ ...identified, goal: text }))
    .min(1)
    .exactOptional(),
  tasks: z.array(task),
})

const module = z.strictObject({
  ...identified,
  phase: z.string(),
  purpose: text,
  registered: z.nullable(z.string()),
  tasks: z.array(z.string()),
  dependsOn: z.array(z.string()),
})

/**
 * The stored content of a workflow. Ids are the engine's keys, unique in the document; `id` follows
 * from specification and period, `version` is the label of the version that this content is.
 */
export const workflowContent = z.strictObject({
  kind: z.literal('workflow'),
  schemaVersion: z.literal(workflowSchemaVersion),
  id: z
    .string()
    .regex(/^[a-z0-9]+(-[a-z0-9]+)*$/)
    .max(120),
  version: z.string(),
  metadata: z.strictObject({
    title: text,
    purpose: text,
    audience: text,
    style: text,
  }),
  summary: text,
  form: z.enum(workflowForms),
  roles: z.array(z.strictObject({ ...identified, duty: text })),
  inputs: z.array(output),
  phases: z.array(phase),
  modules: z.array(module),
})
export type WorkflowContent = z.output<typeof workflowContent>
export type WorkflowPhase = WorkflowContent['phases'][number]
export type WorkflowTask = WorkflowPhase['tasks'][number]
