import type { Evaluation, Finding, FindingCode, Metric, RunPackage } from '@almanac/domain'
import { claimsOf, placeName, type Claim } from './claims.ts'
import { coverageOf, gapReason, itemCount, statementOf, validClaims } from './coverage.ts'
import { statementLimits } from './limits.ts'
import { packageIndex, labelOf, type PackageIndex } from './package-index.ts'
import type { ReportContent } from './schema.ts'

/**
 * The conformance score of a report: six metrics, each 0 to 1, weighed.
 *
 *   coverage   0.40  cells with evidence that are reported, of those that the sections have room for
 *   grounding  0.20  statements whose numbers, dates and identifiers their evidence holds
 *   citation   0.15  statements that cite, cite what is there, and stand where their evidence does
 *   concision  0.10  statements that are short, and said once
 *   quiet      0.10  sections that are quiet exactly when there is nothing to report
 *   scope      0.05  statements that stay inside the scope, in plain text
 *
 * No score rises by padding. Only coverage rewards, and only for a cell that was missing. The others
 * count offences against a number that the package fixes (the cells that the report has room for), so
 * that more statements never thin an offence out. A report on less than half of its cells gets their
 * share only in proportion: faultless silence earns nothing. Order changes nothing.
 *
 * A package without evidence is reported in full by quiet sections and one line: its score is 1.
 */
export function evaluateReport(
  content: ReportContent,
  runPackage: RunPackage,
  findings: readonly Finding[],
): Evaluation {
  const index = packageIndex(runPackage)
  const claims = claimsOf(content)
  const covered = coverageOf(index, claims, findings)
  const presence = Math.min(1, 2 * covered.value)
  const share = (
    offences: string[],
    statements = covered.target,
  ): Pick<Metric, 'value' | 'reasons'> => ({
    value: presence * Math.max(0, 1 - offences.length / Math.max(1, statements)),
    reasons: [...few(offences), ...(presence < 1 ? [littleReported(presence)] : [])],
  })
  const name = (path: string) => placeName(path, content, runPackage)
  const of = (...codes: FindingCode[]) => offences(claims, findings, codes, name)
  const metrics: Metric[] = [
    {
      name: 'coverage',
      weight: 0.4,
      value: covered.value,
      reasons: few(covered.gaps.map((gap) => gapReason(runPackage, gap))),
    },
    { name: 'grounding', weight: 0.2, ...share(of('UNGROUNDED')) },
    {
      name: 'citation',
      weight: 0.15,
      ...share(of('MISSING_CITATION', 'UNKNOWN_CITATION', 'UNMATCHED_CELL', 'OUT_OF_SCOPE_KEY')),
    },
    {
      name: 'concision',
      weight: 0.1,
      ...share([
        ...wordy(claims, name),
        ...of('DUPLICATE_ITEM'),
        ...excess(content, runPackage, name),
      ]),
    },
    {
      name: 'quiet',
      weight: 0.1,
      ...share(
        [
          ...dishonest(content, runPackage, index, covered.reported),
          ...(validClaims(claims, findings).some(({ item }) => !item)
            ? []
            : ['no line of the summary is valid']),
        ],
        index.scope.deliverables.length + 1,
      ),
    },
    { name: 'scope', weight: 0.05, ...share(of('OUT_OF_SCOPE_TEXT', 'UNSAFE_TEXT')) },
  ].map((metric) => ({ ...metric, value: rounded(metric.value) }))
  const score = rounded(metrics.reduce((sum, { value, weight }) => sum + value * weight, 0))
  return { score, metrics }
}

/** Values have four decimals, so that equal reports have equal bytes. */
const rounded = (value: number) => Math.round(value * 10_000) / 10_000

/** The statements, or other places, with a finding of one of `codes`: one reason each. */
function offences(
  claims: readonly Claim[],
  findings: readonly Finding[],
  codes: readonly FindingCode[],
  name: (path: string) => string,
): string[] {
  const statements = new Set(claims.map(({ path }) => path))
  const reasons = new Map<string, string>()
  for (const { code, path, message } of findings) {
    const statement = statementOf(path)
    const offence = statements.has(statement) ? statement : path
    if (codes.includes(code) && !reasons.has(offence))
      reasons.set(offence, `${name(path)}: ${message}`)
  }
  return [...reasons.values()]
}

/** A statement of more words than this is long-winded, though not yet too long. */
const comfortableWords = 70

function wordy(claims: readonly Claim[], name: (path: string) => string): string[] {
  return claims.flatMap(({ path, text, item }) => {
    const words = text.split(' ').length
    const most = item ? statementLimits.itemCharacters : statementLimits.summaryCharacters
    if (text.length > most) return [`${name(path)}: ${text.length} characters, ${most} are allowed`]
    return words > comfortableWords ? [`${name(path)}: ${words} words`] : []
  })
}

/** One offence for each item or line above what is allowed. */
function excess(
  { summary, sections }: ReportContent,
  { limits, evidence }: RunPackage,
  name: (path: string) => string,
): string[] {
  const above = (path: string, found: number, most: number) =>
    Array.from(
      { length: Math.max(0, found - most) },
      (_, i) => `${name(`${path}/${most + i}`)}: one too many`,
    )
  return [
    ...above('/summary', summary.length, evidence.length === 0 ? 1 : limits.maxSummaryLines),
    ...sections.flatMap(({ items }, i) =>
      above(`/sections/${i}/items`, items.length, limits.maxItemsPerSection),
    ),
  ]
}

/** Deliverables without exactly one section that is quiet when, and only when, it may be. */
function dishonest(
  { sections }: ReportContent,
  runPackage: RunPackage,
  { counts }: PackageIndex,
  reported: ReadonlySet<string>,
): string[] {
  return [...counts.deliverables].flatMap(([key, evidence]) => {
    const label = labelOf(runPackage, 'deliverables', key)
    const [section, second] = sections.filter(({ deliverable }) => deliverable === key)
    if (!section) return [`${label} has no section`]
    if (second) return [`${label} has several sections`]
    const isHonest =
      evidence === 0
        ? section.quiet && section.items.length === 0
        : !section.quiet && reported.has(key)
    if (isHonest) return []
    return [
      evidence === 0
        ? `${label} has no evidence, but is not quiet`
        : `${label} has ${itemCount(evidence)} of evidence, but nothing valid is reported`,
    ]
  })
}

const littleReported = (presence: number) =>
  `less than half of the cells are reported, so this counts ${Math.round(presence * 100)} %`

const mostReasons = 5

/** The first reasons, and how many more there are. */
const few = (reasons: readonly string[]): string[] =>
  reasons.length <= mostReasons
    ? [...reasons]
    : [...reasons.slice(0, mostReasons), `and ${reasons.length - mostReasons} more`]
