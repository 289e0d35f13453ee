import {
  type EvidenceMatch,
  type Industry,
  type OmissionReason,
  type PackageEvidence,
  type RunPackage,
  type Scope,
} from '@almanac/domain'
import { createMatcher, matchEvidence, type Matcher } from '@almanac/industries'
import type { StoredEvidence } from './ports.ts'

type Chosen = Pick<
  RunPackage,
  'evidence' | 'evidenceConsidered' | 'evidenceIncluded' | 'evidenceOmitted'
>

const matchers = new WeakMap<Industry, Matcher>()

/**
 * The items of a window that belong to the scope, best first, as many as fit into `tokenLimit`;
 * what is left out is counted by reason. Pure: equal input, equal choice, in equal order.
 */
export function chooseEvidence(
  industry: Industry,
  scope: Scope | null,
  items: readonly StoredEvidence[],
  tokenLimit: number,
): Chosen {
  let matcher = matchers.get(industry)
  if (!matcher) matchers.set(industry, (matcher = createMatcher(industry)))
  const fallbacks = fallbackKeys(industry)
  const matched: Candidate[] = []
  for (const item of items) {
    const matches = scope ? matchEvidence(matcher, scope, item) : []
    if (matches.length > 0) matched.push(candidate(item, matches, fallbacks))
  }
  const evidence: PackageEvidence[] = []
  let left = tokenLimit
  for (const { packed, tokens } of fairOrder(matched)) {
    if (tokens > left) continue
    left -= tokens
    evidence.push(packed)
  }
  const omitted: [OmissionReason, number][] = [
    ['out_of_scope', items.length - matched.length],
    ['token_limit', matched.length - evidence.length],
  ]
  return {
    evidence,
    evidenceConsidered: items.length,
    evidenceIncluded: evidence.length,
    evidenceOmitted: omitted
      .filter(([, count]) => count > 0)
      .map(([reason, count]) => ({ reason, count })),
  }
}

interface Candidate {
  packed: PackageEvidence
  rank: number
  tokens: number
}

function candidate(
  {
    id,
    revision,
    hash,
    source,
    publishedAt,
    title,
    text,
    url,
    attributes,
    withdrawn,
  }: StoredEvidence,
  matches: EvidenceMatch[],
  fallbacks: ReadonlySet<string>,
): Candidate {
  const packed: PackageEvidence = {
    id,
    revision,
    hash,
    source,
    publishedAt,
    title,
    text,
    ...(url === undefined ? {} : { url }),
    attributes,
    withdrawn,
    matches,
  }
  const specific = matches.some(({ region }) => !fallbacks.has(region))
  const sectoral = matches.some(({ link }) => !fallbacks.has(link))
  const deliverables = new Set(matches.map(({ deliverable }) => deliverable)).size
  const rank = 2 * deliverables + Number(specific) + Number(sectoral)
  return { packed, rank, tokens: estimateTokens(JSON.stringify(packed)) }
}

const fallbackKeys = ({ regions, links }: Industry): ReadonlySet<string> =>
  new Set([...regions, ...links].filter(({ fallback }) => fallback).map(({ key }) => key))

/** Best of every cell first, so that a cut silences no cell that evidence speaks for; then the rest. */
function fairOrder(candidates: readonly Candidate[]): Candidate[] {
  const best = [...candidates].sort(
    (a, b) =>
      b.rank - a.rank ||
      compare(b.packed.publishedAt, a.packed.publishedAt) ||
      compare(a.packed.id, b.packed.id),
  )
  const seen = new Set<string>()
  const [first, rest]: [Candidate[], Candidate[]] = [[], []]
  for (const one of best) {
    const cells = one.packed.matches.map((m) => `${m.deliverable} ${m.region} ${m.link}`)
    const opens = cells.some((cell) => !seen.has(cell))
    for (const cell of cells) seen.add(cell)
    ;(opens ? first : rest).push(one)
  }
  return [...first, ...rest]
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

/** Tokens that a text takes at most, in round terms: a quarter of its UTF-8 bytes, rounded up. */
export const estimateTokens = (text: string): number => Math.ceil(Buffer.byteLength(text) / 4)
