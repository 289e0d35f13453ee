import type { RenderInput } from '../../kind.ts'
import { plural, scoreText } from '../../render/conformance.ts'
import { escapeMarkdown as md } from '../../render/escape-markdown.ts'
import { changesBlocks, changesLineBlocks } from '../../render/markdown-changes.ts'
import { provenanceRows } from '../../render/provenance.ts'
import { mermaidOf } from '../mermaid.ts'
import type { WorkflowContent, WorkflowForm } from '../schema.ts'
import { methodSentences, scoreTable } from './method.ts'
import {
  workflowView,
  type ModuleView,
  type PhaseGroupView,
  type PhaseView,
  type TaskView,
  type WorkflowView,
} from './view.ts'

/**
 * A workflow as Markdown (CommonMark with tables and a Mermaid block). Every text is escaped: there is
 * no link, no image and no HTML.
 */
export function renderWorkflowMarkdown(input: RenderInput<WorkflowContent>): string {
  const view = workflowView(input)
  const { content } = view
  const scores = scoreTable(input)
  const blocks = [
    `# ${md(view.title)}`,
    view.marks.length > 0 && view.marks.map(({ word }) => `**${word}**`).join(' · '),
    md(view.kicker),
    [view.periodKey, view.window].flatMap((part) => (part === null ? [] : md(part))).join(' · '),
    `> ${md(view.notice)} Engine: ${md(view.engine)}.`,
    '## In brief',
    md(content.summary),
    list([
      `Purpose: ${md(content.metadata.purpose)}`,
      `Audience: ${md(content.metadata.audience)}`,
      `Style: ${md(content.metadata.style)}`,
    ]),
    ...changesLineBlocks(view.changes),
    '## Roles and inputs',
    list(content.roles.map(({ name, duty }) => `**${md(name)}**: ${md(duty)}`)),
    view.inputs.length > 0 && list(view.inputs.map(inputLine)),
    ...view.phaseTree.flatMap((phase) => phaseBlocks(phase, content.form, 2)),
    '## Modules',
    ...view.modules.flatMap(moduleBlocks),
    '## Dependencies',
    `\`\`\`mermaid\n${mermaidOf(content)}\n\`\`\``,
    ...changesBlocks(view.changes),
    '## Method and score',
    methodSentences(input).map(md).join(' '),
    table(
      scores.head.map(md),
      scores.rows.map(({ name, cells }) => [md(name), ...cells]),
    ),
    '## Provenance',
    list([
      `Workflow: ${md(content.id)}`,
      ...provenanceRows(input.metadata).map(({ label, value }) => `${label}: ${md(value)}`),
    ]),
  ]
  return `${blocks.filter((block) => block !== false && block !== '').join('\n\n')}\n`
}

const list = (lines: readonly string[]): string => lines.map((line) => `- ${line}`).join('\n')

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  const rule = head.map((_, i) => (i === 0 ? '---' : '---:'))
  return [line(head), line(rule), ...rows.map(line)].join('\n')
}

function inputLine({ name, usedBy }: WorkflowView['inputs'][number]): string {
  const users = usedBy.map(({ number }) => number).join(', ')
  return `Before the start: ${md(name)}${users ? ` (for ${users})` : ''}`
}

function phaseBlocks(
  view: PhaseView | PhaseGroupView,
  form: WorkflowForm,
  level: number,
): string[] {
  const { name, goal } = 'parts' in view ? view : view.phase
  const head = [
    `${hashes(level)} ${level === 2 ? `${view.number}\\.` : view.number} ${md(name)}`,
    md(goal),
  ]
  if ('parts' in view)
    return [
      ...head,
      plural(view.parts.length, 'sub-phase'),
      ...view.parts.flatMap((part) => phaseBlocks(part, form, level + 1)),
    ]
  const { score, tasks } = view
  const scored = score === undefined ? '' : ` · conformance ${scoreText(score)}`
  return [
    ...head,
    `${plural(tasks.length, 'task')}${scored}`,
    ...tasks.flatMap((task) => taskBlocks(task, form, level + 1)),
  ]
}

/** There is no deeper heading than the sixth. */
const hashes = (level: number): string => '#'.repeat(Math.min(6, level))

function taskBlocks(view: TaskView, form: WorkflowForm, level: number): string[] {
  const { number, task, role, needs } = view
  return [
    `${hashes(level)} ${number} ${md(task.name)}`,
    `**${md(role)}**`,
    stepsText(task.steps, form),
    list([
      ...(needs.length > 0 ? [`Needs: ${needs.map(needText).join('; ')}`] : []),
      ...(task.outputs.length > 0
        ? [`Gives: ${task.outputs.map(({ name }) => md(name)).join('; ')}`]
        : []),
      `Done when: ${md(task.done)}`,
      ...(task.note === '' ? [] : [`Note: ${md(task.note)}`]),
    ]),
  ]
}

const needText = ({ name, from }: TaskView['needs'][number]): string =>
  from ? `${md(name)} (from ${from.number})` : md(name)

function stepsText(steps: readonly string[], form: WorkflowForm): string {
  if (form === 'narrative') return steps.map(md).join(' ')
  const mark = form === 'checklist' ? () => '- [ ]' : (i: number) => `${i + 1}.`
  return steps.map((step, i) => `${mark(i)} ${md(step)}`).join('\n')
}

function moduleBlocks(view: ModuleView): string[] {
  const { number, name, phase, purpose, registered, tasks, needs, gives, dependsOn } = view
  const names = (all: readonly string[]) => all.map(md).join('; ')
  return [
    `### ${number} ${md(name)}`,
    `${md(phase)} · ${registered ? `registered module ${md(registered.key)}` : plural(tasks.length, 'task')}`,
    md(purpose),
    registered !== undefined && registered.steps.length > 0
      ? registered.steps.map((step, i) => `${i + 1}. ${md(step)}`).join('\n')
      : '',
    list([
      ...(tasks.length > 0 ? [`Tasks: ${tasks.map((task) => task.number).join(', ')}`] : []),
      `Needs: ${names(needs) || 'nothing'}`,
      `Gives: ${names(gives) || 'nothing'}`,
      `Depends on: ${dependsOn.map((other) => `${other.number} ${md(other.name)}`).join('; ') || 'nothing'}`,
    ]),
  ]
}
