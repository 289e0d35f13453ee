import type { WorkflowContent } from './schema.ts'

const place = /^\/(?:phases\/(\d+)(?:\/tasks\/(\d+))?|modules\/(\d+)|(roles|inputs|summary)\b)/

/** What people call the place of a JSON pointer: `Gather the facts, task 3`, `Module "Intake"`. */
export function placeName(path: string, content: WorkflowContent): string {
  const [, phase, task, module, other] = place.exec(path) ?? []
  if (phase !== undefined) {
    const name = content.phases[Number(phase)]?.name ?? `Phase ${Number(phase) + 1}`
    return task === undefined ? name : `${name}, task ${Number(task) + 1}`
  }
  if (module !== undefined)
    return `Module “${content.modules[Number(module)]?.name ?? Number(module) + 1}”`
  return other === undefined ? 'Workflow' : other.charAt(0).toUpperCase() + other.slice(1)
}
