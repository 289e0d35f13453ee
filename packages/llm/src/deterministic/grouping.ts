import type { EvidenceMatch } from '@almanac/domain'
import type { Cell } from './cell.ts'
import type { Reading } from './reading.ts'

/** A reading as one section files it: its matches of that deliverable, and the best of them. */
export interface Filed {
  reading: Reading
  matches: readonly EvidenceMatch[]
  cell: Cell
}

/** Readings that one item of the report tells together: same cell, same form, by title, then id. */
export interface Group {
  cell: Cell
  /** Never empty. */
  readings: Reading[]
}

/**
 * Puts together what a reader would not want to read twice: within one cell, items of one docket,
 * items of (nearly) the same title, and one publisher's items whose titles begin with the same
 * clause, as `Airworthiness Directives: …` do. `apart` names what must not be mixed in one sentence.
 */
export function groupReadings(
  filed: readonly Filed[],
  apart: (reading: Reading) => string,
): Group[] {
  const buckets = Map.groupBy(filed, ({ reading, cell }) => bucketOf(reading, cell, apart))
  return [...buckets.values()].flatMap((bucket) =>
    joined(bucket).flatMap((members) =>
      members.slice(0, 1).map(({ cell }) => {
        const readings = members.map(({ reading }) => reading).sort(byTitle)
        return { cell, readings }
      }),
    ),
  )
}

/**
 * Puts groups of one cell and form together, those of one publisher first, until no more than `room`
 * are left or nothing that fits can be joined. `groups` are ranked, best first; the last are joined
 * first, each to the best group that takes it.
 */
export function narrowed(
  groups: readonly Group[],
  room: number,
  apart: (reading: Reading) => string,
  fits: (readings: readonly Reading[]) => boolean,
): Group[] {
  const left = [...groups]
  const bucket = ({ cell, readings: [first] }: Group) => (first ? bucketOf(first, cell, apart) : '')
  const publisher = (group: Group) => `${bucket(group)} ${group.readings[0]?.publisher}`
  for (const keyOf of [publisher, bucket])
    for (let at = left.length - 1; at > 0 && left.length > room; at -= 1) {
      const [group] = left.splice(at, 1)
      if (!group) break
      const host = left.find(
        (other, place) =>
          place < at && keyOf(other) === keyOf(group) && fits(together(other, group)),
      )
      if (host) left[left.indexOf(host)] = { ...host, readings: together(host, group) }
      else left.splice(at, 0, group)
    }
  return left
}

const together = (a: Group, b: Group): Reading[] => [...a.readings, ...b.readings].sort(byTitle)

/** What one sentence can tell: one cell and form, by publishers who are all named, or none. */
function bucketOf(
  reading: Reading,
  { region, link }: Cell,
  apart: (reading: Reading) => string,
): string {
  const { form, publisher, evidence } = reading
  const named = publisher !== undefined
  return [region, link, form, evidence.withdrawn, apart(reading), named].join(' ')
}

/** What makes two items of a bucket one: they share any of these. */
function ties({ titleKey, clauses, publisher, docket }: Reading): string[] {
  const [head = ''] = clauses
  const heads = publisher && clauses.length > 1 && head.length >= 8
  return [
    `title ${titleKey}`,
    ...(docket ? [`docket ${docket}`] : []),
    ...(heads ? [`head ${publisher} ${head}`] : []),
  ]
}

/** The connected sets of a bucket, in the order of their first members. */
function joined(bucket: readonly Filed[]): Filed[][] {
  const sets: { members: Filed[] }[] = []
  const byTie = new Map<string, { members: Filed[] }>()
  for (const filed of bucket) {
    const own = ties(filed.reading)
    const met = new Set(own.flatMap((tie) => byTie.get(tie) ?? []))
    const [set = { members: [] }, ...others] = met
    if (met.size === 0) sets.push(set)
    for (const other of others) {
      set.members.push(...other.members.splice(0))
      for (const [tie, holder] of byTie) if (holder === other) byTie.set(tie, set)
    }
    set.members.push(filed)
    for (const tie of own) byTie.set(tie, set)
  }
  return sets.filter(({ members }) => members.length > 0).map(({ members }) => members)
}

const byTitle = (a: Reading, b: Reading): number =>
  compare(a.title, b.title) || compare(a.evidence.id, b.evidence.id)

/** Order of UTF-16 code units, the same in every locale. */
export const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
