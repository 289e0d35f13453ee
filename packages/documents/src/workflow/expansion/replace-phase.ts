import type { Finding, RunPackage } from '@almanac/domain'
import { clipped, listed } from '../../finding.ts'
import type { Call, ReadContent } from '../../kind.ts'
import { invalid, parsedText, refuse, schemaFindings } from '../../read-answer.ts'
import { cycles } from '../graph.ts'
import { draftFindings, placedPhases, withPlainSpaces } from '../read.ts'
import { workflowPartsDraft, type WorkflowContent, type WorkflowPhase } from '../schema.ts'
import { taskDependencies, tasksOf } from '../task-list.ts'
import { expandBriefOf } from './ask.ts'
import { complexityOf } from './complexity.ts'
import { dividedModules } from './divide-modules.ts'

/**
 * The workflow with the phase of a call replaced by the sub-phases of an engine's answer, each of which
 * says what it is within. Everything outside keeps its id, its words and its order; modules of the phase
 * and what depends on them are re-pointed. Findings say why an answer is none: it fits no schema, has a
 * single sub-phase or one that is as complex as the phase, loses an output, or has sub-phases that wait
 * for each other. What else may be wrong is the validator's to find.
 */
export function replacePhase(
  _: RunPackage,
  content: WorkflowContent,
  call: Call,
  given: unknown,
): ReadContent<WorkflowContent> {
  const id = expandBriefOf(call)?.phase ?? call.part
  const expanded = content.phases.find((phase) => phase.id === id)
  if (!expanded) throw new Error(`the workflow has no phase ${id ?? 'without a name'} to expand`)
  const answer = parsedText(given)
  const parsed = workflowPartsDraft.safeParse(answer)
  if (!parsed.success) return refuse(schemaFindings(parsed.error, answer))
  const draft = withPlainSpaces(workflowPartsDraft, parsed.data)
  const unreadable = draftFindings(draft)
  if (unreadable.length > 0) return refuse(unreadable)
  const { id: phaseId, name, goal, within = [] } = expanded
  const phases = placedPhases(draft).map(({ tasks, ...phase }) => ({
    ...phase,
    within: [...within, { id: phaseId, name, goal }],
    tasks,
  }))
  const replaced = {
    ...content,
    phases: content.phases.flatMap((phase) => (phase === expanded ? phases : [phase])),
  }
  const findings = expansionFindings(content, replaced, expanded, phases)
  if (findings.length > 0) return refuse(findings)
  const modules = dividedModules({ content: replaced, expanded, phases })
  return { content: { ...replaced, modules }, findings: [] }
}

/** What makes sub-phases no expansion of their phase. Paths point into the answer. */
function expansionFindings(
  content: WorkflowContent,
  replaced: WorkflowContent,
  expanded: WorkflowPhase,
  phases: readonly WorkflowPhase[],
): Finding[] {
  const before = complexityOf(content, expanded).total
  const made = new Set(phases.flatMap(outputsOf).map((output) => output.id))
  const few =
    phases.length >= 2
      ? []
      : [invalid(['phases'], 'must be several sub-phases', '2 or more', String(phases.length))]
  return [
    ...few,
    ...phases.flatMap((phase, i): Finding[] => {
      const path = `/phases/${i}`
      const now = complexityOf(replaced, phase).total
      const sameKey = phase.id === expanded.id
      return [
        ...(sameKey ? [taken(`${path}/key`, phase.id)] : []),
        ...(now < before ? [] : [tooComplex(path, phase.id, now, before)]),
      ]
    }),
    ...outputsOf(expanded)
      .filter((output) => !made.has(output.id))
      .map((output) => lost(output.id, expanded.id)),
    ...cycles(phaseDependencies(replaced, phases)).map(circular),
  ]
}

const outputsOf = ({ tasks }: WorkflowPhase) => tasks.flatMap(({ outputs }) => outputs)

/** The sub-phases that each sub-phase needs something of. */
function phaseDependencies(
  replaced: WorkflowContent,
  phases: readonly WorkflowPhase[],
): Map<string, string[]> {
  const needs = taskDependencies(replaced)
  const phaseOf = new Map(
    tasksOf({ phases: [...phases] }).map(({ task, phase }) => [task.id, phase]),
  )
  return new Map(
    phases.map(({ id, tasks }) => {
      const needed = tasks.flatMap((task) => needs.get(task.id) ?? [])
      const others = needed.flatMap((task) => phaseOf.get(task)?.id ?? [])
      return [id, [...new Set(others)].filter((other) => other !== id)]
    }),
  )
}

const error = (
  code: Finding['code'],
  path: string,
  message: string,
  [expected, found]: [string, string],
): Finding => ({ code, severity: 'error', path, message, expected, found: clipped(found) })

const taken = (path: string, id: string): Finding =>
  error('DUPLICATE_ITEM', path, `the sub-phase ${id} has the key of the phase that it is within`, [
    'a key of its own',
    id,
  ])

const tooComplex = (path: string, id: string, now: number, before: number): Finding =>
  error('TOO_LONG', path, `the sub-phase ${id} is as complex as the phase that it is within`, [
    `a complexity below ${before}`,
    String(now),
  ])

const lost = (output: string, phase: string): Finding =>
  error('MISSING_SECTION', '/tasks', `no task makes ${output}, which the phase ${phase} made`, [
    output,
    'none',
  ])

const circular = (circle: readonly string[]): Finding => {
  const [first = ''] = circle
  return error('DEPENDENCY_CYCLE', '/phases', `the sub-phase ${first} waits for itself`, [
    'an order in which each comes after what it needs',
    listed([...circle, first]),
  ])
}
