import type { Evaluation, Finding, FindingCode, Metric, RunPackage } from '@almanac/domain'
import { coverageOf, mostNamedOf, namedIn } from './coverage.ts'
import { fitOf } from './fit.ts'
import { circular } from './graph.ts'
import { placeName } from './place-name.ts'
import { termsOf, type Term } from './reading/terms.ts'
import type { WorkflowContent, WorkflowPhase } from './schema.ts'
import { vagueness } from './specificity.ts'
import { membershipFindings } from './rules/parts.ts'
import { duplicateFindings } from './rules/size.ts'
import { moduleDependencies, taskDependencies, tasksOf, type PlacedTask } from './task-list.ts'

/**
 * The conformance score of a workflow: six metrics, each 0 to 1, weighed; the same of each phase.
 *
 *   coverage      0.35  words of the purpose that a task takes up; of a phase: those that its goal names
 *   flow          0.20  tasks whose steps, role, inputs and outputs are there, and lead somewhere
 *   dependencies  0.15  modules that hold every task once, and wait for what they need and nothing else
 *   specificity   0.15  tasks that say what is particular: about the purpose, and without vague words
 *   fit           0.10  form, length, roles and notes as style and audience ask
 *   concision     0.05  things said once, and no longer than allowed
 *
 * No score rises by padding. Only coverage rewards, and only for a word of the purpose that was missing.
 * The others count offences against a number that the purpose fixes, so that more tasks never thin an
 * offence out, and a workflow that takes up little of its purpose gets their share only in proportion: a
 * document that is always the same earns nothing. Order changes nothing.
 */
export function evaluateWorkflow(
  content: WorkflowContent,
  runPackage: RunPackage,
  findings: readonly Finding[],
): Evaluation {
  const terms = termsOf(content.metadata.purpose)
  const whole = evaluatePart({ content, runPackage, findings, terms, asked: terms })
  const phases = content.phases.map((phase, p) => ({
    id: phase.id,
    ...evaluatePart({
      content,
      runPackage,
      findings,
      terms,
      asked: namedIn(terms, phase.goal),
      phase: { ...phase, path: `/phases/${p}` },
    }),
  }))
  return { ...whole, phases }
}

interface Part {
  content: WorkflowContent
  runPackage: RunPackage
  findings: readonly Finding[]
  /** The terms of the purpose. */
  terms: readonly Term[]
  /** Those of them that this part has to take up. */
  asked: readonly Term[]
  /** The one phase that is judged; the whole workflow without. */
  phase?: WorkflowPhase & { path: string }
}

/** A purpose of few words is not judged by fewer statements than this, one of many not by more. */
const fewest = 6
const most = 24

function evaluatePart(part: Part): Pick<Evaluation, 'score' | 'metrics'> {
  const { content, terms, asked, phase } = part
  const tasks = tasksOf(content).filter((one) => !phase || one.phase.id === phase.id)
  const covered = coverageOf(asked, tasks, part.findings, mostNamedOf(terms))
  const statements = Math.min(most, Math.max(fewest, terms.length))
  const presence = Math.min(1, Math.max(0, (covered.value - 0.1) / 0.5))
  const little = `less than 60 % of the words are taken up, so this counts ${Math.round(presence * 100)} %`
  const share = (offences: readonly string[], full = 1): Pick<Metric, 'value' | 'reasons'> => ({
    value: presence * full * Math.max(0, 1 - offences.length / statements),
    reasons: [...few(offences), ...(presence < 1 ? [little] : [])],
  })
  const of = (...codes: FindingCode[]) => offences(part, codes)
  const fit = fitOf(content, tasks)
  const metrics: Metric[] = [
    {
      name: 'coverage',
      weight: 0.35,
      value: covered.value,
      reasons:
        asked.length === 0
          ? [phase ? 'its goal names nothing of the purpose' : 'the purpose names nothing']
          : few(covered.missing.map(({ word }) => `no task takes up "${word}"`)),
    },
    {
      name: 'flow',
      weight: 0.2,
      ...share(
        [
          ...of('UNKNOWN_REFERENCE', 'MISSING_SECTION').filter(isOfTasks),
          ...circular(taskDependencies(content))
            .filter((id) => tasks.some(({ task }) => task.id === id))
            .map((id) => `the task ${id} waits for itself`),
        ].map(textOf),
      ),
    },
    {
      name: 'dependencies',
      weight: 0.15,
      ...share(
        [
          ...of('UNKNOWN_REFERENCE', 'MISSING_SECTION').filter((one) => !isOfTasks(one)),
          ...circular(moduleDependencies(content))
            .filter((id) => isOwnModule(part, id))
            .map((id) => `the module ${id} waits for itself`),
        ].map(textOf),
      ),
    },
    { name: 'specificity', weight: 0.15, ...share(vagueness(tasks, terms).map(textOf)) },
    { name: 'fit', weight: 0.1, ...withReasons(share(fit.offences, fit.form), fit.reasons) },
    {
      name: 'concision',
      weight: 0.05,
      ...share([...repeats(part, tasks), ...of('TOO_LONG', 'UNSAFE_TEXT')].map(textOf)),
    },
  ].map((metric) => ({ ...metric, value: rounded(metric.value) }))
  const score = rounded(metrics.reduce((sum, { value, weight }) => sum + value * weight, 0))
  return { score, metrics }
}

/** Values have four decimals, so that equal workflows have equal bytes. */
const rounded = (value: number) => Math.round(value * 10_000) / 10_000

interface Offence {
  path: string
  text: string
}

const textOf = (offence: string | Offence): string =>
  typeof offence === 'string' ? offence : offence.text

const isOfTasks = ({ path }: Offence): boolean => /^\/(?:phases|roles|inputs)\b/.test(path)

/** The findings of these codes that this part answers for. */
function offences({ content, findings, phase }: Part, codes: readonly FindingCode[]): Offence[] {
  return findings
    .filter(({ code, path }) => codes.includes(code) && (!phase || belongs(content, phase, path)))
    .map(({ path, message }) => ({ path, text: `${placeName(path, content)}: ${message}` }))
}

/**
 * What is said twice: of the whole by its findings, of a phase by what it says itself, since of two phases
 * that say the same it is only the order that makes the second one the repetition.
 */
function repeats(part: Part, tasks: readonly PlacedTask[]): Offence[] {
  const { content, phase, runPackage } = part
  if (!phase) return offences(part, ['DUPLICATE_ITEM'])
  const alone = { ...content, roles: [], inputs: [], phases: [phase], modules: [] }
  return [
    ...duplicateFindings({ content: alone, tasks, runPackage }),
    ...membershipFindings({ content, tasks, runPackage }),
  ]
    .filter(({ code }) => code === 'DUPLICATE_ITEM')
    .map(({ path, message }) => ({ path, text: `${placeName(path, content)}: ${message}` }))
}

/** Whether a place is the phase's own: inside it, or in one of its modules. */
function belongs(
  content: WorkflowContent,
  { id, path: own }: Part['phase'] & object,
  path: string,
) {
  if (path === own || path.startsWith(`${own}/`)) return true
  const [, m] = /^\/modules\/(\d+)/.exec(path) ?? []
  return m !== undefined && content.modules[Number(m)]?.phase === id
}

const isOwnModule = ({ content, phase }: Part, id: string): boolean =>
  !phase || content.modules.some((module) => module.id === id && module.phase === phase.id)

const withReasons = (
  metric: Pick<Metric, 'value' | 'reasons'>,
  reasons: readonly string[],
): Pick<Metric, 'value' | 'reasons'> => ({ ...metric, reasons: [...reasons, ...metric.reasons] })

const mostReasons = 5

/** The first reasons, and how many more there are. */
const few = (reasons: readonly string[]): string[] =>
  reasons.length <= mostReasons
    ? [...reasons]
    : [...reasons.slice(0, mostReasons), `and ${reasons.length - mostReasons} more`]
