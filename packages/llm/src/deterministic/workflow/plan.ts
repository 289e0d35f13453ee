import {
  audienceProfile,
  capitalised,
  styleProfile,
  workflowSpecificationOf,
  type WorkflowOutlineDraft,
} from '@almanac/documents'
import type { RunPackage } from '@almanac/domain'
import { chooseTasks, type ChosenTask } from './choose-tasks.ts'
import { acts } from './knowledge/acts/index.ts'
import { subjectOf } from './purpose/nouns.ts'
import { readPurpose, type Clause } from './purpose/read-purpose.ts'
import { castOf, type Cast } from './roles.ts'
import { filled, outputName, shortened, type Voice } from './wording.ts'

type Outline = WorkflowOutlineDraft

/** A phase of a plan, with the tasks that it is to have. */
export interface PlannedPhase {
  phase: Outline['phases'][number]
  tasks: ChosenTask[]
}

/** What a workflow will be: a pure function of its specification. */
export interface Plan {
  voice: Voice
  cast: Cast
  clauses: Clause[]
  phases: PlannedPhase[]
  inputs: Outline['inputs']
  summary: string
}

/** Plans a workflow from purpose, audience, style and title. */
export function planOf(runPackage: RunPackage): Plan {
  const { purpose, audience, style, title } = workflowSpecificationOf(runPackage)
  const voice: Voice = { style: styleProfile(style), audience: audienceProfile(audience) }
  const reading = readPurpose(purpose)
  const { clauses } = reading
  const chosen = chooseTasks(reading, subjectOf(title))
  const phases = phasesOf(clauses, chosen, title)
    .filter(({ tasks }) => tasks.length > 0)
    .map(({ phase, tasks }) => ({
      phase: { ...phase, goal: goalOf(voice, phase.goal, tasks) },
      tasks,
    }))
  const [first] = clauses
  return {
    voice,
    cast: castOf(voice, first?.act ?? 'plan'),
    clauses,
    phases,
    inputs: inputsOf(clauses),
    summary: summaryOf({ purpose, audience, title }, phases),
  }
}

/** Groundwork, then a phase a clause (of a single clause: its three parts), then what closes the whole. */
function phasesOf(
  clauses: readonly Clause[],
  chosen: readonly ChosenTask[],
  title: string,
): PlannedPhase[] {
  const isEarly = ({ archetype: { kind } }: ChosenTask) => kind === 'prepare' || kind === 'gather'
  const isLate = ({ archetype: { kind } }: ChosenTask) => kind === 'deliver' || kind === 'sustain'
  const whole = chosen.filter(({ clause }) => clause === undefined)
  const ground = whole.filter(isEarly)
  const closing = whole.filter((task) => !isEarly(task))
  const planned = (
    key: string,
    kind: PlannedPhase['phase']['kind'],
    name: string,
    goal: string,
    tasks: readonly ChosenTask[],
  ): PlannedPhase => ({ phase: { key, kind, name: shortened(name, 118), goal }, tasks: [...tasks] })
  const aims = closing.map(({ about: { object } }) => object).join('; ')
  const close = planned('phase-close', 'deliver', `Close: ${title}`, aims, closing)
  const [only, ...others] = clauses
  if (only && others.length === 0) {
    const tasks = chosen.filter(({ clause }) => clause === 0)
    const middle = tasks.filter((task) => !isEarly(task) && !isLate(task))
    const what = phraseOf(only)
    return [
      planned('phase-ground', 'prepare', `Get ready to ${what}`, what, [
        ...ground,
        ...tasks.filter(isEarly),
      ]),
      planned('phase-work', 'produce', capitalised(what), what, middle),
      planned('phase-result', 'deliver', `Bring the result home: ${only.object}`, what, [
        ...tasks.filter(isLate),
      ]),
      close,
    ]
  }
  return [
    planned(
      'phase-ground',
      'prepare',
      `Lay the ground: ${title}`,
      ground.map(({ about: { object } }) => object).join('; '),
      ground,
    ),
    ...clauses.map((clause, i) =>
      planned(
        `phase-${i + 1}-${clause.act}`,
        i === clauses.length - 1 ? 'deliver' : i === 0 ? 'gather' : 'produce',
        capitalised(phraseOf(clause)),
        phraseOf(clause),
        chosen.filter((task) => task.clause === i),
      ),
    ),
    close,
  ]
}

/** `audit the supplier contracts`. */
const phraseOf = ({ base, object }: Clause): string => `${base} the ${object}`

/** A goal says what for, and what is there at the end. */
function goalOf(voice: Voice, about: string, tasks: readonly ChosenTask[]): string {
  const last = tasks.slice(-2).map((task) => lowered(outputName(voice, task)))
  return shortened(`${capitalised(about)}. At its end: ${last.join('; ')}.`, 395)
}

const lowered = (text: string): string =>
  /^\p{Lu}\p{Ll}/u.test(text) ? text.charAt(0).toLowerCase() + text.slice(1) : text

/** What must be there before, one thing for each class of verb. */
function inputsOf(clauses: readonly Clause[]): Outline['inputs'] {
  const seen = new Set<string>()
  return clauses.flatMap((clause) => {
    if (seen.has(clause.act)) return []
    seen.add(clause.act)
    const name = filled(acts[clause.act].input, clause)
    return [{ key: `input-${clause.act}`, name: shortened(name, 118) }]
  })
}

function summaryOf(
  { purpose, audience, title }: { purpose: string; audience: string; title: string },
  phases: readonly PlannedPhase[],
): string {
  const [first, last] = [phases[0]?.phase.name ?? '', phases.at(-1)?.phase.name ?? '']
  const way =
    phases.length === 1 ? `is done in one go: “${first}”` : `leads from “${first}” to “${last}”`
  const aim = shortened(purpose.replace(/[.\s]+$/, ''), 400)
  return shortened(
    `“${title}” is written for this audience: ${audience.replace(/[.\s]+$/, '')}. Its purpose: ${aim}. It ${way}.`,
    895,
  )
}
