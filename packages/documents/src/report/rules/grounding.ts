import type { Finding, PackageEvidence, RunPackage } from '@almanac/domain'
import { plainTitle } from '@almanac/industries'
import { clipped, listed } from '../../finding.ts'
import { localTime } from '../../render/local-date.ts'
import { groundOf, ungrounded, type Ground } from '../grounding/ground.ts'
import { labelOf, type PackageIndex } from '../package-index.ts'
import type { ItemKind } from '../schema.ts'
import type { Judged } from './rule.ts'

/** What the items of a package ground: costly to make, and a package is judged more than once. */
const groundsOfPackages = new WeakMap<RunPackage, Map<string, Ground>>()

/**
 * UNGROUNDED: a number, date or identifier that no cited item has in its id, title, text, attributes
 * or instant of publication. An error in a fact and in the summary; a warning in an interpretation or
 * implication, whose whole sentence is a reading of facts.
 *
 * The summary and interpretations may also count: their numbers are grounded when they are true counts
 * of the *package* (`countGround`), their dates when they are the period's. Counts of the report itself
 * are not allowed: they would become false, or true, with every edit. A fact says what its evidence
 * says, and counts nothing.
 */
export function groundingFindings({ claims, index, runPackage }: Judged): Finding[] {
  const grounds = groundsOfPackages.get(runPackage) ?? new Map<string, Ground>()
  groundsOfPackages.set(runPackage, grounds)
  const { timeZone } = runPackage.cadence
  const groundOfItem = (id: string): Ground[] => {
    const known = grounds.get(id)
    if (known) return [known]
    const item = index.evidence.get(id)
    if (!item) return []
    const ground = groundOf(textsOf(item), timeZone)
    grounds.set(id, ground)
    return [ground]
  }
  let counted: Ground[] | undefined
  const countGrounds = () =>
    (counted ??= [countGround(index, runPackage), periodGround(runPackage)])
  return claims.flatMap(({ path, text, cites, item }): Finding[] => {
    const titles = cites.flatMap((id) => titleOf(index.evidence.get(id)))
    const missing = ungrounded(without(text, titles), () => [
      ...cites.flatMap(groundOfItem),
      ...(mayCount(item?.kind) ? countGrounds() : []),
    ])
    if (missing.length === 0) return []
    const isFirm = item === undefined || item.kind === 'fact'
    const where = item
      ? `${item.kind} of ${labelOf(runPackage, 'deliverables', item.deliverable)}`
      : 'summary'
    return [
      {
        code: 'UNGROUNDED',
        severity: isFirm ? 'error' : 'warning',
        path: `${path}/text`,
        message: `the ${where} says ${listed(missing.map((raw) => JSON.stringify(raw)))}, which nothing that it cites holds`,
        expected: mayCount(item?.kind)
          ? 'numbers of the cited evidence, or true counts of the package’s evidence'
          : 'only numbers, dates and identifiers of the cited evidence',
        found: clipped(missing.join(', ')),
      },
    ]
  })
}

/** Whether a statement may count; undefined is a line of the summary. */
const mayCount = (kind: ItemKind | undefined): boolean =>
  kind === undefined || kind === 'interpretation'

const titleOf = (item: PackageEvidence | undefined): string[] =>
  item ? [plainTitle(item.title)] : []

/**
 * `text` without the cited titles that it quotes in full: what stands in them is grounded. Only between
 * quotation marks: a short title may also stand inside a word or a date that is not grounded.
 */
const without = (text: string, titles: readonly string[]): string =>
  titles.reduce(
    (rest, title) => rest.replaceAll(`“${title}”`, ' ').replaceAll(`"${title}"`, ' '),
    text,
  )

const textsOf = ({ id, title, text, attributes, publishedAt }: PackageEvidence): string[] => [
  plainTitle(title),
  // As it is quoted: a line's end or a run of blanks is one blank.
  plainTitle(text),
  ...Object.values(attributes),
  publishedAt,
  id,
]

/**
 * The numbers that a statement may count: the package's items (included, considered, left out, late),
 * those of each deliverable, region and link, of each deliverable with a region or link, and of each
 * cell; how many entries of an axis there are, with evidence and without; how many sources.
 */
function countGround({ counts, cells }: PackageIndex, runPackage: RunPackage): Ground {
  const numbers = new Set<number>([
    runPackage.evidence.length,
    runPackage.evidenceIncluded,
    runPackage.evidenceConsidered,
    runPackage.evidenceLate,
    ...runPackage.evidenceOmitted.map(({ count }) => count),
    new Set(runPackage.evidence.map(({ source }) => source)).size,
  ])
  const { body } = runPackage.specification
  if (body.kind === 'report') numbers.add(body.sources.length)
  for (const entries of Object.values(counts)) {
    const each = [...entries.values()]
    const present = each.filter((count) => count > 0).length
    for (const count of [...each, present, each.length - present, each.length]) numbers.add(count)
  }
  const pairs = new Map<string, Set<string>>()
  for (const { id, matches } of runPackage.evidence)
    for (const { deliverable, region, link } of matches)
      for (const pair of [`${deliverable}/${region}/`, `${deliverable}//${link}`])
        pairs.set(pair, (pairs.get(pair) ?? new Set()).add(id))
  for (const ids of pairs.values()) numbers.add(ids.size)
  for (const { evidence } of cells.values()) numbers.add(evidence)
  const keys = new Set([...numbers].map((count) => `n:${count}`))
  return { keys: () => keys, text: '' }
}

/** The period's key, first and last day, and the instants of its window. */
function periodGround({ cadence: { from, to, timeZone, periodKey } }: RunPackage): Ground {
  const last = localTime(Date.parse(to) - 1, timeZone)
  const lastDay = [last.year, last.month, last.day].map((part) => String(part).padStart(2, '0'))
  const ground = groundOf([from, to, lastDay.join('-')], timeZone)
  const week = /-W0?(\d+)$/.exec(periodKey ?? '')?.[1]
  const keys = new Set([...ground.keys(), ...(week === undefined ? [] : [`n:${week}`])])
  return {
    keys: () => keys,
    text: `${ground.text}\n${periodKey?.toLowerCase() ?? ''}`,
  }
}
