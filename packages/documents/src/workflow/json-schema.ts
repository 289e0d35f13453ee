import { phaseKinds, type Json, type RunPackage } from '@almanac/domain'
import { z } from 'zod'
import { strictObject } from '../strict-object.ts'
import type { Call } from '../kind.ts'
import { answeredFields, workflowSpecificationOf } from './calls.ts'
import { workflowLimits } from './limits.ts'
import { workflowForms } from './schema.ts'

const text = (description: string): Json => ({ type: 'string', description })
const list = (items: Json, description: string): Json => ({ type: 'array', items, description })
const oneOf = (values: readonly string[], description: string): Json => ({
  type: 'string',
  enum: [...values],
  description,
})
const key = (noun: string) =>
  text(`Key of the ${noun}: lower-case words joined by hyphens, unique in the whole document.`)
const ref = (noun: string) => text(`Key of ${noun}.`)

/**
 * The JSON schema of a whole workflow, in OpenAI's strict subset: every field required, nothing else
 * allowed, no sizes. A phase answers the part of it that `workflowCallSchema` cuts out.
 */
export function workflowJsonSchema({
  specification,
  limits,
}: Pick<RunPackage, 'specification' | 'limits'>): Record<string, Json> {
  const { modules } = workflowSpecificationOf({ specification })
  const registered: Json =
    modules.length > 0
      ? {
          type: ['string', 'null'],
          enum: [...modules, null],
          description: 'Key of the registered module that this one is; null for one of its own.',
        }
      : { type: 'null' }
  return strictObject({
    summary: text('Two or three plain sentences: what it is for, for whom, how it goes.'),
    form: oneOf(workflowForms, 'How steps are written down; what the style asks for.'),
    roles: list(
      strictObject({
        key: key('role'),
        name: text('What the role is called.'),
        duty: text('One sentence: what the role answers for.'),
      }),
      `Who does it: the people of the audience first. At most ${workflowLimits.roles}.`,
    ),
    inputs: list(
      strictObject({ key: key('input'), name: text('What it is called.') }),
      `What must be there before the first task. At most ${workflowLimits.inputs}.`,
    ),
    phases: list(
      strictObject({
        key: key('phase'),
        name: text('What the phase is called.'),
        kind: oneOf(phaseKinds, 'What the phase is for.'),
        goal: text('One sentence: what is true at its end.'),
      }),
      `In the order in which they are done. At most ${workflowLimits.phases}.`,
    ),
    tasks: list(
      strictObject({
        key: key('task'),
        name: text('What is done, as an imperative.'),
        phase: ref('the phase that it belongs to'),
        role: ref('the role that does it'),
        steps: list(text('One plain sentence.'), `At most ${workflowLimits.steps}.`),
        inputs: list(
          ref('an input of the workflow, or of an output of another task'),
          'What the task needs; at least one.',
        ),
        outputs: list(
          strictObject({ key: key('output'), name: text('What it is called.') }),
          'What there is after it; at least one.',
        ),
        done: text('One sentence: how one sees that it is done.'),
        note: text('What this audience must be told besides; empty where nothing.'),
      }),
      `In the order in which they are done; at most ${limits.maxItemsPerSection} a phase.`,
    ),
    modules: list(
      strictObject({
        key: key('module'),
        name: text('What the module is called.'),
        phase: ref('the phase that it belongs to'),
        purpose: text('One sentence: what it is for.'),
        registered,
        tasks: list(ref('a task of its phase'), 'Empty if and only if it is a registered module.'),
        dependsOn: list(ref('a module that must be finished before'), 'Empty where there is none.'),
      }),
      `Every task in exactly one. At most ${workflowLimits.modules}.`,
    ),
  })
}

const objectSchema = z.looseObject({ properties: z.record(z.string(), z.json()) })

/** The schema of one call's answer, cut out of the one that the package holds: pure, and fixed by it. */
export function workflowCallSchema(
  { output: { jsonSchema } }: Pick<RunPackage, 'output'>,
  call: Call,
): Record<string, Json> {
  const fields = answeredFields(call)
  if (!fields) return jsonSchema
  const { properties } = objectSchema.parse(jsonSchema)
  return strictObject(Object.fromEntries(fields.map((field) => [field, properties[field] ?? null])))
}
