import {
  AlmanacError,
  axes,
  fieldMapping,
  isAlmanacError,
  parse,
  readEvidenceLine,
  type Axis,
  type EvidenceItem,
  type Industry,
} from '@almanac/domain'
import { createMatcher, type MatchedKeys } from '@almanac/industries'
import { writeFileSync } from 'node:fs'
import { readJson, readText } from '../read-file.ts'
import type { Screen } from '../screen.ts'
import { readIndustry } from '../system/installed-industries.ts'
import { industrySkeleton } from './industry-skeleton.ts'

/** `almanac industry new FILE`: writes an industry to begin from; an existing file is left alone. */
export function newIndustry(screen: Screen, file: string, { id }: { id: string }): void {
  try {
    writeFileSync(file, industrySkeleton(id), { flag: 'wx' })
  } catch (cause) {
    const exists = cause instanceof Error && 'code' in cause && cause.code === 'EEXIST'
    const message = exists
      ? 'must not exist yet: it is not overwritten'
      : 'must be a file that can be written'
    const issues = [{ field: 'FILE', message, value: JSON.stringify(file) }]
    throw new AlmanacError('INPUT_INVALID', { issues }, { cause })
  }
  screen.say(`${file} describes an industry to begin from; its comments say what is what.`)
  screen.say(`Next: almanac industry check ${file}`)
  screen.result({ file, id })
}

/** `almanac industry check FILE`: every problem at once; the exit code is 1 when there is one. */
export function checkIndustryFile(screen: Screen, file: string): void {
  const read = readIndustry(file)
  if (read.ok) {
    const { id, version } = read.industry
    const counts = axes.map((axis) => `${read.industry[axis].length} ${axis}`).join(', ')
    screen.say(`${id} ${version} is an industry: ${counts}.`)
    screen.say(`Next: almanac industry try ${file} --evidence ITEMS.ndjson`)
    screen.result({ ok: true, id, version, problems: [] })
    return
  }
  const { problems } = read
  screen.say(`${file}: ${problems.length === 1 ? 'one problem' : `${problems.length} problems`}`)
  for (const problem of problems) screen.say(`  ${problem}`)
  screen.result({ ok: false, problems })
  process.exitCode = 1
}

interface Tried {
  item: Pick<EvidenceItem, 'itemId' | 'title'>
  keys: MatchedKeys
}

/**
 * `almanac industry try FILE --evidence ITEMS`: where each item would belong, per deliverable, and those
 * that belong nowhere, with the axes on which nothing matched. Throws INPUT_INVALID for an industry that
 * is none.
 */
export function tryIndustry(
  screen: Screen,
  file: string,
  { evidence, mapping }: { evidence: string; mapping?: string },
): void {
  const read = readIndustry(file)
  if (!read.ok)
    throw new AlmanacError('INPUT_INVALID', {
      issues: read.problems.map((message) => ({ field: file, message })),
    })
  const { industry } = read
  const { items, refused } = readItems(evidence, mapping)
  const matcher = createMatcher(industry)
  const tried = items.map((item): Tried => {
    const { itemId, title } = item
    return { item: { itemId, title }, keys: matcher.matches(item) }
  })
  const unmatched = tried.filter(({ keys }) => missing(keys).length > 0)
  const matched = tried.filter(({ keys }) => missing(keys).length === 0)
  screen.say(
    `${evidence}: ${items.length} items, ${matched.length} of them matched, ${unmatched.length} not; ${refused.length} lines refused`,
  )
  for (const { line, reason } of refused.slice(0, 5)) screen.warn(`  line ${line}: ${reason}`)
  tellMatches(screen, industry, matched)
  tellUnmatched(screen, unmatched)
  screen.result({
    industry: { id: industry.id, version: industry.version },
    items: items.length,
    deliverables: industry.deliverables.map(({ key }) => ({
      key,
      items: matched
        .filter(({ keys }) => keys.deliverables.includes(key))
        .map(({ item, keys: { regions, links } }) => ({ ...item, regions, links })),
    })),
    unused: unusedOf(industry, matched),
    unmatched: unmatched.map(({ item, keys }) => ({ ...item, missing: missing(keys) })),
    refused,
  })
}

const missing = (keys: MatchedKeys): Axis[] => axes.filter((axis) => keys[axis].length === 0)

/** Keys of each axis that no item belongs to: a lexicon that finds nothing, or a quiet place. */
const unusedOf = (industry: Industry, matched: readonly Tried[]): Record<Axis, string[]> => {
  const unused = (axis: Axis) => {
    const used = new Set(matched.flatMap(({ keys }) => keys[axis]))
    return industry[axis].map(({ key }) => key).filter((key) => !used.has(key))
  }
  return {
    deliverables: unused('deliverables'),
    regions: unused('regions'),
    links: unused('links'),
  }
}

const mostShown = 5

function tellMatches(screen: Screen, industry: Industry, matched: readonly Tried[]): void {
  for (const { key, label } of industry.deliverables) {
    const own = matched.filter(({ keys }) => keys.deliverables.includes(key))
    screen.say()
    screen.say(`${label} (${key}): ${own.length}`)
    for (const { item, keys } of own.slice(0, mostShown))
      screen.say(`  ${short(item.title)}  [${keys.regions.join(' ')} / ${keys.links.join(' ')}]`)
    if (own.length > mostShown) screen.say(`  and ${own.length - mostShown} more`)
  }
  const unused = unusedOf(industry, matched)
  for (const axis of ['regions', 'links'] as const)
    if (unused[axis].length > 0) {
      screen.say()
      screen.say(`No item belongs to these ${axis}: ${unused[axis].join(', ')}`)
    }
}

function tellUnmatched(screen: Screen, unmatched: readonly Tried[]): void {
  screen.say()
  screen.say(`Unmatched: ${unmatched.length}`)
  for (const { item, keys } of unmatched.slice(0, 2 * mostShown))
    screen.say(`  ${short(item.title)}  (no ${missing(keys).join(', no ')})`)
  const more = unmatched.length - 2 * mostShown
  if (more > 0) screen.say(`  and ${more} more; --json lists all`)
}

const short = (text: string): string =>
  text.length <= 80 ? text : `${text.slice(0, 79).toWellFormed()}…`

function readItems(
  file: string,
  mappingFile: string | undefined,
): { items: EvidenceItem[]; refused: { line: number; reason: string }[] } {
  const mapping = parse(fieldMapping, mappingFile === undefined ? {} : readJson(mappingFile))
  const items: EvidenceItem[] = []
  const refused: { line: number; reason: string }[] = []
  for (const [i, line] of readText(file).split('\n').entries()) {
    if (line.trim() === '') continue
    try {
      items.push(readEvidenceLine(line, mapping))
    } catch (error) {
      if (!isAlmanacError(error)) throw error
      refused.push({ line: i + 1, reason: error.message })
    }
  }
  return { items, refused }
}
