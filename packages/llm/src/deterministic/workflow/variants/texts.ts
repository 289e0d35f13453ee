import { workflowLimits, type WorkflowContent } from '@almanac/documents'

/** The most characters of each text that an engine writes, by the field that holds it. */
const texts: Readonly<Record<string, number>> = {
  summary: workflowLimits.summaryCharacters,
  name: workflowLimits.nameCharacters,
  duty: workflowLimits.sentenceCharacters,
  goal: workflowLimits.sentenceCharacters,
  purpose: workflowLimits.sentenceCharacters,
  steps: workflowLimits.sentenceCharacters,
  done: workflowLimits.sentenceCharacters,
  note: workflowLimits.sentenceCharacters,
}

/** The workflow with every text of the engine's changed; keys, ids and the specification's words stay. */
export function mapTexts(
  workflow: WorkflowContent,
  change: (text: string, most: number) => string,
): WorkflowContent {
  const visit = <T>(value: T, field: string): T => {
    const most = texts[field]
    if (typeof value === 'string')
      return (most === undefined || value === '' ? value : change(value, most)) as T
    if (Array.isArray(value)) return value.map((one: unknown) => visit(one, field)) as T
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(
      Object.entries(value).map(([name, inner]: [string, unknown]) => [name, visit(inner, name)]),
    ) as T
  }
  return { ...visit(workflow, ''), metadata: workflow.metadata }
}
