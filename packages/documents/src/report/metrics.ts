import type { Evaluation, Finding, FindingCode, Metric, RunPackage } from '@almanac/domain'
import { claimsOf, type Claim } from './claims.ts'
import { statementLimits } from './limits.ts'
import { cellKey, indexPackage, labelOf, type Cell, type PackageIndex } from './package-index.ts'
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
  const index = indexPackage(runPackage)
  const claims = claimsOf(content)
  const covered = coverageOf(index, claims, findings)
  const presence = Math.min(1, 2 * covered.value)
  const share = (offences: string[], statements = covered.target): Pick<Metric, 'value' | 'reasons'> => ({
    value: presence * Math.max(0, 1 - offences.length / Math.max(1, statements)),
    reasons: [...few(offences), ...(presence < 1 ? [littleReported(presence)] : [])],
  })
  const of = (...codes: FindingCode[]) => offences(claims, findings, codes)
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
      ...share([...wordy(claims), ...of('DUPLICATE_ITEM'), ...excess(content, runPackage)]),
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

interface Coverage {
  value: number
  /** The cells that the sections have room for. */
  target: number
  /** The deliverables that report less than they have room for. */
  gaps: Gap[]
  /** Keys of the deliverables that a valid item reports on. */
  reported: ReadonlySet<string>
}

interface Gap {
  deliverable: string
  reported: number
  /** Cells that the section has room for, and cells that have evidence. */
  asked: number
  all: number
  /** The cell with the most evidence that is not reported. */
  largest: Cell | undefined
}

/** An item that cites more than this reports its own cell only: it is a list, not a report. */
const mostShared = 6

/**
 * A cell is reported when a valid item of its deliverable stands in it, or cites evidence matched to
 * it. A deliverable asks for no more cells than its section has room for items.
 */
function coverageOf(
  { cells, counts, evidence, room }: PackageIndex,
  claims: readonly Claim[],
  findings: readonly Finding[],
): Coverage {
  const found = new Set<string>()
  for (const { item, cites } of validClaims(claims, findings)) {
    if (!item) continue
    const matches = cites.flatMap((id) => evidence.get(id)?.matches ?? []).map(cellKey)
    const own = cellKey(item)
    if (!matches.includes(own)) continue
    found.add(own)
    if (cites.length > mostShared) continue
    const prefix = `${item.deliverable}/`
    for (const key of matches) if (key.startsWith(prefix)) found.add(key)
  }
  let target = 0
  let hit = 0
  const gaps: Gap[] = []
  const reported = new Set<string>()
  for (const deliverable of counts.deliverables.keys()) {
    const own = [...cells].filter(([, cell]) => cell.deliverable === deliverable)
    const missing = own.filter(([key]) => !found.has(key)).map(([, cell]) => cell)
    const present = own.length - missing.length
    const asked = Math.min(room, own.length)
    target += asked
    hit += Math.min(asked, present)
    if (present > 0) reported.add(deliverable)
    if (present >= asked) continue
    const [largest] = missing.sort((a, b) => b.evidence - a.evidence)
    gaps.push({ deliverable, reported: present, asked, all: own.length, largest })
  }
  if (target > 0) return { value: hit / target, target, gaps, reported }
  const isEmpty = claims.every(({ item }) => item === undefined)
  return { value: isEmpty ? 1 : 0, target, gaps, reported }
}

/** The statements without an error. A repetition is as true as what it repeats, and is counted apart. */
function validClaims(claims: readonly Claim[], findings: readonly Finding[]): Claim[] {
  const invalid = new Set(
    findings
      .filter(({ severity, code }) => severity === 'error' && code !== 'DUPLICATE_ITEM')
      .map(({ path }) => statementOf(path)),
  )
  return claims.filter(({ path }) => !invalid.has(path))
}

/** `/sections/0/items/3` of `/sections/0/items/3/text`. */
const statementOf = (path: string): string =>
  /^\/summary\/\d+|^\/sections\/\d+\/items\/\d+/.exec(path)?.[0] ?? path

/** The statements with a finding of one of `codes`, one reason each. */
function offences(
  claims: readonly Claim[],
  findings: readonly Finding[],
  codes: readonly FindingCode[],
): string[] {
  const statements = new Set(claims.map(({ path }) => path))
  const reasons = new Map<string, string>()
  for (const { code, path, message } of findings) {
    const statement = statementOf(path)
    if (codes.includes(code) && !reasons.has(statement) && statements.has(statement))
      reasons.set(statement, `${statement} ${message}`)
  }
  const isSection = ({ code, path }: Finding) =>
    codes.includes(code) && !statements.has(statementOf(path))
  return [
    ...reasons.values(),
    ...findings.filter(isSection).map(({ path, message }) => `${path} ${message}`),
  ]
}

/** A statement of more words than this is long-winded, though not yet too long. */
const comfortableWords = 70

function wordy(claims: readonly Claim[]): string[] {
  return claims.flatMap(({ path, text, item }) => {
    const words = text.split(' ').length
    const most = item ? statementLimits.itemCharacters : statementLimits.summaryCharacters
    if (text.length > most) return [`${path} has ${text.length} characters, ${most} are allowed`]
    return words > comfortableWords ? [`${path} has ${words} words`] : []
  })
}

/** One offence for each item or line above what is allowed. */
function excess({ summary, sections }: ReportContent, { limits, evidence }: RunPackage): string[] {
  const above = (path: string, found: number, most: number) =>
    Array.from({ length: Math.max(0, found - most) }, (_, i) => `${path}/${most + i} is one too many`)
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
        : `${label} has ${evidence} of evidence, but nothing valid is reported`,
    ]
  })
}

function gapReason(runPackage: RunPackage, { deliverable, largest, ...gap }: Gap): string {
  const label = labelOf(runPackage, 'deliverables', deliverable)
  const room = gap.asked < gap.all ? `, of ${gap.all} with evidence` : ''
  const cell = largest
    ? `; not ${labelOf(runPackage, 'regions', largest.region)} × ${labelOf(runPackage, 'links', largest.link)}, which has ${largest.evidence} of evidence`
    : ''
  return `${label}: ${gap.reported} of ${gap.asked} cells are reported${room}${cell}`
}

const littleReported = (presence: number) =>
  `less than half of the cells are reported, so this counts ${Math.round(presence * 100)} %`

const mostReasons = 5

/** The first reasons, and how many more there are. */
const few = (reasons: readonly string[]): string[] =>
  reasons.length <= mostReasons
    ? [...reasons]
    : [...reasons.slice(0, mostReasons), `and ${reasons.length - mostReasons} more`]
