import { canonicalJson } from '@almanac/domain'
import type { RenderInput } from '../../kind.ts'
import { topologicalOrder } from '../graph.ts'
import { mermaidOf } from '../mermaid.ts'
import type { WorkflowContent } from '../schema.ts'
import { moduleDependencies, taskDependencies } from '../task-list.ts'
import { workflowView } from './view.ts'

/**
 * A workflow as canonical JSON `{ metadata, content, evaluation, findings, modules, order, mermaid,
 * changes }`: the registered modules that it uses, whole, and its tasks and modules in the order of their
 * dependencies.
 */
export function renderWorkflowJson(input: RenderInput<WorkflowContent>): string {
  const { metadata, content, evaluation, findings, changes, package: runPackage } = input
  return canonicalJson({
    metadata: { ...metadata, notice: workflowView(input).notice },
    content,
    evaluation,
    findings,
    modules: runPackage.modules ?? [],
    order: {
      tasks: topologicalOrder(taskDependencies(content)),
      modules: topologicalOrder(moduleDependencies(content)),
    },
    mermaid: mermaidOf(content),
    ...(changes && { changes }),
  })
}
