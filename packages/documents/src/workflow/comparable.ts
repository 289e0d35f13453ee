import type { Outline } from '@almanac/domain'
import { workflowOutline } from './outline.ts'
import type { WorkflowContent } from './schema.ts'

/** A workflow without the id, which follows from the period, and without version and form of storage. */
export function comparableWorkflow(content: WorkflowContent): Outline {
  const { kind: _kind, schemaVersion: _shape, id: _id, version: _version, ...said } = content
  const { phases: _phases, modules: _modules, ...metadata } = said
  return workflowOutline(content).map((element) =>
    element.level === 'metadata' ? { ...element, value: metadata } : element,
  )
}
