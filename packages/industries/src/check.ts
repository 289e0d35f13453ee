import {
  axes,
  industry as industrySchema,
  type CatalogueEntry,
  type Industry,
} from '@almanac/domain'
import { words } from './folding.ts'
import { broaderKeys, phraseRoles } from './lexicon-index.ts'

export type IndustryCheck = { ok: true; industry: Industry } | { ok: false; problems: string[] }

/** Tells authors all that is wrong with an industry: its shape, or else the sense of its catalogue. */
export function checkIndustry(value: unknown): IndustryCheck {
  const parsed = industrySchema.safeParse(value)
  if (!parsed.success) {
    const problems = parsed.error.issues.map(
      ({ path, message }) => `${path.map(String).join('.') || 'industry'}: ${message}`,
    )
    return { ok: false, problems }
  }
  const industry = parsed.data
  const problems = axes.flatMap((axis) =>
    axisProblems(industry[axis]).map(({ key, problem }) => `${axis}.${key}: ${problem}`),
  )
  return problems.length > 0 ? { ok: false, problems } : { ok: true, industry }
}

interface Problem {
  key: string
  problem: string
}

function axisProblems(entries: CatalogueEntry[]): Problem[] {
  return [
    ...keyProblems(entries),
    ...entries.flatMap((entry) =>
      [
        ...phraseProblems(entry),
        ...attributeProblems(entry),
        ...withinProblems(entries, entry),
        ...reachProblems(entries, entry),
      ].map((problem) => ({ key: entry.key, problem })),
    ),
    ...overlapProblems(entries),
  ]
}

function keyProblems(entries: CatalogueEntry[]): Problem[] {
  const seen = new Set<string>()
  const problems: Problem[] = []
  for (const { key } of entries) {
    if (seen.has(key)) problems.push({ key, problem: 'the key is used twice on this axis' })
    seen.add(key)
  }
  const [first, ...more] = entries.filter((entry) => entry.fallback)
  for (const { key } of more)
    problems.push({ key, problem: `is a second fallback, besides ${first?.key ?? ''}` })
  return problems
}

const matchingRoles = ['terms', 'titleTerms', 'titleHints'] as const
const fold = (term: string) => words(term).join(' ')
const holds = (outer: string, inner: string) => ` ${outer} `.includes(` ${inner} `)

function phraseProblems({ lexicon }: CatalogueEntry): string[] {
  const problems: string[] = []
  for (const role of phraseRoles) {
    for (const term of lexicon[role] ?? [])
      if (fold(term) === '')
        problems.push(`${role} has ${JSON.stringify(term)}, which holds no letter or digit`)
  }
  const terms = matchingRoles.flatMap((role) => lexicon[role] ?? []).map(fold)
  for (const shield of lexicon.notWithin ?? []) {
    const folded = fold(shield)
    if (terms.includes(folded))
      problems.push(`notWithin has ${JSON.stringify(shield)}, which is itself a term here`)
    else if (!terms.some((term) => term !== '' && holds(folded, term)))
      problems.push(`notWithin has ${JSON.stringify(shield)}, which holds none of the terms`)
  }
  return problems
}

function attributeProblems({ lexicon }: CatalogueEntry): string[] {
  const problems: string[] = []
  for (const field of ['attributes', 'requires'] as const) {
    for (const [name, values] of Object.entries(lexicon[field] ?? {})) {
      if (values.length === 0) problems.push(`${field}.${name} allows no value`)
      if (name === 'withdrawn' && !values.every((one) => one === 'true' || one === 'false'))
        problems.push(`${field}.withdrawn can only be "true" or "false"`)
      const repeated = values.filter((one, at) => values.indexOf(one) < at)
      for (const one of repeated) problems.push(`${field}.${name} has ${JSON.stringify(one)} twice`)
    }
  }
  return problems
}

function withinProblems(entries: CatalogueEntry[], entry: CatalogueEntry): string[] {
  if (entry.within === undefined) return []
  const broader = entries.find(({ key }) => key === entry.within)
  if (!broader) return [`is within ${entry.within}, which this axis does not have`]
  if (broader.fallback) return [`is within ${entry.within}, which is the fallback`]
  if (entry.fallback) return ['is the fallback, and so cannot be within another']
  const outermost = broaderKeys(entries, entry).at(-1)
  const end = entries.find(({ key }) => key === outermost)
  return end?.within === undefined && outermost !== undefined
    ? []
    : [`is within itself, by way of ${entry.within}`]
}

/** Whether anything can ever belong to the entry. */
function reachProblems(entries: CatalogueEntry[], { key, fallback, lexicon }: CatalogueEntry) {
  if (fallback || entries.some((other) => other.within === key)) return []
  const { terms, titleTerms, titleHints, codes, attributes, requires, present } = lexicon
  const lists = [terms, titleTerms, titleHints, codes, present]
  const stated =
    lists.some((list) => list && list.length > 0) ||
    [attributes, requires].some((record) => record && Object.keys(record).length > 0)
  if (!stated) return ['can never match: it states no condition and is no fallback']

  const excluded = (lexicon.excludes ?? []).map(fold).filter((term) => term !== '')
  const inTitle = [...(titleTerms ?? []), ...(titleHints ?? [])].map(fold)
  const onlyTitles = inTitle.length > 0 && !terms?.length && !codes?.length && !attributes
  const allExcluded = inTitle.every((term) => excluded.some((phrase) => holds(term, phrase)))
  return onlyTitles && allExcluded ? ['can never match: excludes rules out every title term'] : []
}

/** The same term or code in two entries: the author must say which one it means, or use `within`. */
function overlapProblems(entries: CatalogueEntry[]): Problem[] {
  const owners = new Map<string, string>()
  const problems: Problem[] = []
  for (const { key, lexicon } of entries) {
    const phrases = matchingRoles.flatMap((role) => lexicon[role] ?? [])
    const named = [
      ...phrases.map((term) => ({ id: fold(term), term })).filter(({ id }) => id !== ''),
      ...(lexicon.codes ?? []).map((code) => ({ id: `code ${code}`, term: code })),
    ]
    for (const { id, term } of named) {
      const owner = owners.get(id)
      const shown = JSON.stringify(term)
      if (owner === key) problems.push({ key, problem: `has the term ${shown} twice` })
      else if (owner !== undefined)
        problems.push({ key, problem: `has the term ${shown}, and so has ${owner}` })
      else owners.set(id, key)
    }
  }
  return problems
}
