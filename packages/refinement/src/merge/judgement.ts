import type { Evaluation, Finding, Outline } from '@almanac/domain'

/** What a document is worth, as the caller's validator and metrics say. */
export interface Judgement {
  /** The conformance score, 0 to 1. */
  score: number
  findings: readonly Finding[]
  /** Scores of single elements by id, 0 to 1, where the kind has them: those of a workflow's phases. */
  components?: ReadonlyMap<string, number>
}

/** A judgement of a document by its evaluation: its phases, where the kind scores them, are components. */
export function judgementOf(
  outline: Outline,
  { score, phases }: Evaluation,
  findings: readonly Finding[],
): Judgement {
  if (!phases) return { score, findings }
  const scores = new Map(phases.map((phase) => [phase.id, phase.score]))
  const components = outline.flatMap(({ level, id, value }): [string, number][] => {
    const own = level === 'phase' ? scores.get(String(value['id'])) : undefined
    return own === undefined ? [] : [[id, own]]
  })
  return { score, findings, components: new Map(components) }
}

/** The findings of a document by the id of the element that each belongs to. */
export function findingsByElement(
  outline: Outline,
  findings: readonly Finding[],
): ReadonlyMap<string, Finding[]> {
  const ids = new Map(outline.map(({ path, id }) => [path, id]))
  const root = ids.get('') ?? outline[0]?.id ?? ''
  return Map.groupBy(findings, ({ path }) => {
    for (let at = path; at !== ''; at = at.slice(0, at.lastIndexOf('/'))) {
      const id = ids.get(at)
      if (id !== undefined) return id
    }
    return root
  })
}

/** What is left of an element's score by a finding of it. */
const leftBy: Record<Finding['severity'], number> = { error: 0, warning: 0.5 }

/**
 * The component score of each element, 0 to 1, and of elements that are not there 0: the score that the
 * kind gives to it, or to the nearest element that it stands in, halved by each warning about it; an
 * error makes it 0.
 */
export function componentScores(
  outline: Outline,
  { findings, components }: Judgement,
): (id: string) => number {
  const own = findingsByElement(outline, findings)
  const given = new Map<string, number>()
  if (components)
    for (const { id, parentId } of outline)
      given.set(id, components.get(id) ?? given.get(parentId ?? '') ?? 1)
  const known = new Set(outline.map(({ id }) => id))
  return (id) =>
    known.has(id)
      ? (own.get(id) ?? []).reduce(
          (score, { severity }) => score * leftBy[severity],
          given.get(id) ?? 1,
        )
      : 0
}

/**
 * Findings with what makes them the same in two versions: the code, and the element that it is about.
 * Numbers and places within the element may differ.
 */
export function keyedFindings(
  outline: Outline,
  findings: readonly Finding[],
): { key: string; finding: Finding }[] {
  return [...findingsByElement(outline, findings)].flatMap(([id, own]) =>
    own.map((finding) => ({ key: `${finding.severity} ${finding.code} ${id}`, finding })),
  )
}

/** The findings of a document that none of `others` has; of several alike, those above the most that one has. */
export function findingsBeyond(
  document: { elements: Outline; findings: readonly Finding[] },
  others: readonly { elements: Outline; findings: readonly Finding[] }[],
): Finding[] {
  if (document.findings.length === 0) return []
  const counts = new Map<string, number>()
  for (const { elements, findings } of others)
    for (const [key, alike] of Map.groupBy(keyedFindings(elements, findings), ({ key }) => key))
      counts.set(key, Math.max(counts.get(key) ?? 0, alike.length))
  return keyedFindings(document.elements, document.findings).flatMap(({ key, finding }) => {
    const left = counts.get(key) ?? 0
    counts.set(key, left - 1)
    return left > 0 ? [] : [finding]
  })
}
