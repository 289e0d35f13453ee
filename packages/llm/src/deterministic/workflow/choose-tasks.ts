import { sha256 } from '@almanac/domain/hash'
import { phaseKinds } from '@almanac/domain'
import type { Archetype, SubjectName } from './knowledge/archetype.ts'
import { acts } from './knowledge/acts/index.ts'
import { conditions, type ConditionKind } from './knowledge/conditions.ts'
import { subjects } from './knowledge/subjects/index.ts'
import type { Clause, PurposeReading } from './purpose/read-purpose.ts'

/** A task that is to be written: what is known of it, and what it is about. */
export interface ChosenTask {
  key: string
  archetype: Archetype
  about: { object: string; isPlural: boolean }
  /** The clause that it serves; undefined for a condition of the whole. */
  clause: number | undefined
}

/** How many tasks of its act and of its subject a clause gets, by the number of clauses. */
const room = [
  { act: 3, subject: 2 },
  { act: 3, subject: 1 },
  { act: 3, subject: 1 },
  { act: 2, subject: 1 },
] as const

/**
 * Chooses the tasks of a purpose: for each clause those of its verb's class and of what it acts on, then
 * one for each kind of condition. Nothing is chosen twice: a second clause of the same class gets the
 * tasks that the first one left.
 */
export function chooseTasks(
  reading: PurposeReading,
  titled: SubjectName | undefined,
): ChosenTask[] {
  const used = new Set<Archetype>()
  const { clauses } = reading
  const share = room[Math.min(clauses.length, room.length) - 1] ?? room[0]
  const repeated = (clause: Clause) => clauses.filter(({ act }) => act === clause.act).length
  const chosen = clauses.flatMap((clause, i) => {
    // A title says what an only clause is about; of several, it would say it of all.
    const known = clause.subject ?? (clauses.length === 1 ? titled : undefined)
    const subject = known ?? acts[clause.act].subject
    const { core, tasks } = acts[clause.act]
    const most = Math.min(share.act, Math.floor(tasks.length / repeated(clause)))
    const take = (prefix: string, from: readonly Archetype[], count: number): ChosenTask[] =>
      spread(
        from.filter((task) => !used.has(task)),
        count,
        clause.object,
        core,
      ).map((archetype) => {
        used.add(archetype)
        return { key: `${prefix}-${archetype.key}`, archetype, about: clause, clause: i }
      })
    return joined(
      take(clause.act, tasks, Math.max(1, most)),
      take(subject, subjects[subject].tasks, share.subject),
    )
  })
  return [...chosen, ...conditionTasks(reading)]
}

const rank = ({ archetype }: ChosenTask): number => phaseKinds.indexOf(archetype.kind)

/** The tasks of the act in their order, and each other one before the first act task of a later kind. */
function joined(own: readonly ChosenTask[], others: readonly ChosenTask[]): ChosenTask[] {
  const all = [...own]
  for (const other of others) {
    const at = all.findIndex((task) => rank(task) > rank(other))
    all.splice(at < 0 ? all.length : at, 0, other)
  }
  return all
}

/**
 * `count` of `tasks` in their order: the one named `core`, if it is among them, and those that `about`
 * picks by its hash, so that two purposes of one class do not read alike.
 */
function spread(
  tasks: readonly Archetype[],
  count: number,
  about: string,
  core: string,
): Archetype[] {
  const priority = (task: Archetype) =>
    task.key === core ? '' : sha256(`${about.toLowerCase()}/${task.key}`)
  const wanted = [...tasks].sort((a, b) => (priority(a) < priority(b) ? -1 : 1)).slice(0, count)
  return tasks.filter((task) => wanted.includes(task))
}

const things: readonly ConditionKind[] = ['beneficiary', 'destination', 'means', 'origin', 'place']
const marker =
  /^(?:for|to|with|using|via|through|by|from|into|onto|in|at|across|throughout|within|between|under|below)\s+/i

/** Whom, what and where a condition names, without its preposition; dates and limits keep theirs. */
const withoutMarker = (kind: ConditionKind, text: string): string =>
  things.includes(kind) ? text.replace(marker, '') || text : text

/** One task a kind of condition; what is said twice of a kind is said together. */
function conditionTasks(reading: PurposeReading): ChosenTask[] {
  const kinds = [...new Set(reading.conditions.map(({ kind }) => kind))]
  return kinds.map((kind: ConditionKind): ChosenTask => {
    const texts = reading.conditions.filter((one) => one.kind === kind).map(({ text }) => text)
    return {
      key: `condition-${kind}`,
      archetype: conditions[kind],
      about: { object: texts.map((text) => withoutMarker(kind, text)).join('; '), isPlural: false },
      clause: undefined,
    }
  })
}
