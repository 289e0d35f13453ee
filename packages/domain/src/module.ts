import { z } from 'zod'
import { catalogueKey } from './catalogue.ts'
import { plainLine } from './plain-text.ts'

/** What a part of a workflow is for; phases and modules both say it, in the order of a workflow. */
export const phaseKinds = ['prepare', 'gather', 'produce', 'check', 'deliver', 'sustain'] as const
export type PhaseKind = (typeof phaseKinds)[number]

const distinct = (names: readonly string[]) => new Set(names).size === names.length
const names = (max: number) =>
  z.array(plainLine(120)).max(max).refine(distinct, { error: 'must not name a thing twice' })

/**
 * A tried piece of work that a tenant's workflows use by reference, never by copy. Its definition does
 * not change: another one has another key.
 */
export const moduleDefinition = z.strictObject({
  /** What workflows name it by; unique within the tenant. */
  key: catalogueKey,
  phase: z.enum(phaseKinds),
  name: plainLine(120),
  purpose: plainLine(400),
  steps: z.array(plainLine(400)).min(1).max(20),
  /** What must be there before, and what there is after it. */
  inputs: names(12).default([]),
  outputs: names(12).min(1),
})
export type ModuleDefinition = z.output<typeof moduleDefinition>
