import type { PhaseKind } from '@almanac/domain'
import { slug, type WorkflowOutlineDraft } from '@almanac/documents'
import { acts, type ActName } from './knowledge/acts/index.ts'
import type { Voice } from './wording.ts'

type Role = WorkflowOutlineDraft['roles'][number]

/** Who does what in a workflow. */
export interface Cast {
  roles: Role[]
  /** The role of a task of this kind. */
  of(kind: PhaseKind): Role
}

const workers: Role = {
  key: 'role-working-lead',
  name: 'Working lead',
  duty: 'Does the work between two decisions and brings what they rest on.',
}

/**
 * The people of the audience first, then whoever checks them. Those who only decide get somebody who
 * does the work; an audience that names nobody gets a lead.
 */
export function castOf({ audience }: Voice, act: ActName): Cast {
  const { counterpart } = acts[act]
  const named = audience.people.length > 0 ? audience.people : ['Lead']
  const people = named.map((name, i): Role => {
    const key = `role-${slug(name).slice(0, 36).replace(/-+$/, '') || i + 1}`
    return { key, name, duty: dutyOf(i, named.length, audience.level === 'leader') }
  })
  const checker: Role = { key: 'role-counterpart', ...counterpart }
  const distinct = people.filter(({ key }, i) => people.findIndex((one) => one.key === key) === i)
  const lead = distinct[0] ?? workers
  const second = distinct[1] ?? lead
  if (audience.level === 'leader') {
    const of = (kind: PhaseKind) =>
      kind === 'check' ? checker : kind === 'deliver' ? lead : kind === 'sustain' ? second : workers
    return { roles: [...distinct, workers, checker], of }
  }
  const of = (kind: PhaseKind) =>
    kind === 'check' ? checker : kind === 'deliver' || kind === 'sustain' ? second : lead
  return { roles: [...distinct, checker], of }
}

function dutyOf(i: number, count: number, decides: boolean): string {
  if (decides)
    return i === 0 ? 'Decides when the next phase may begin.' : 'Is heard before each decision.'
  if (i === 0)
    return count === 1
      ? 'Carries the work from the first task to the last.'
      : 'Prepares the work and carries it out.'
  if (i === 1) return 'Hands the result over and keeps it going.'
  return 'Is told of every result, and says what is missing in it.'
}
