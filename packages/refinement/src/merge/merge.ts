import {
  AlmanacError,
  type Finding,
  type MergeStrategy,
  type Outline,
  type OutlineElement,
  type PlacedElement,
} from '@almanac/domain'
import { saysSame } from '../diff/align.ts'
import type { Outlined } from '../diff/outlined.ts'
import { chooseAdditive, chooseThreeWay, type Choose } from './choose.ts'
import { combine, type Disagreement, type Side } from './combine.ts'
import { componentScores, findingsBeyond, type Judgement } from './judgement.ts'
import { ranked } from './rank.ts'
import { enter, withAdditions, type Standing } from './standing.ts'

/** A version that takes part in a merge. */
export interface Variant<Content> extends Judgement {
  id: string
  content: Content
  /** Steps from the root of the refinement. */
  depth: number
}

/** Two groups of versions that changed the same thing, each in its own way, and whose way was taken. */
export interface Conflict extends Omit<Disagreement, 'taken'> {
  /** The ids of the versions on each side: on the first, those that were merged before. */
  sides: [string[], string[]]
  taken: string[]
}

/** A version that was left out, and why. */
export interface LeftOut {
  id: string
  reason: 'lower_score' | 'new_findings'
  /** The score of the merged document that was refused. */
  score: number
  newFindings: readonly Finding[]
  conflicts: Conflict[]
}

/** The best that a merge could make of its variants: never below any of them. */
export interface Merged<Content> extends Judgement {
  content: Content
  /** The ids of the variants that are in it, in the order in which they were merged. */
  parents: string[]
  conflicts: Conflict[]
  leftOut: LeftOut[]
}

export interface MergePorts<Content> {
  kind: Outlined<Content>
  /** Validator and metrics: what a document is worth, which must depend on nothing but the document. */
  judge: (content: Content) => Judgement
}

export interface MergeOptions {
  strategy?: MergeStrategy
  /** What each step of depth costs of a score; it decides in which order variants are merged. */
  decay: number
}

const choices: Record<MergeStrategy, Choose> = {
  'three-way': chooseThreeWay,
  additive: chooseAdditive,
}

/**
 * Folds variants of `ancestor` into one document, best effective score first, then by id, however they
 * arrived. Each step is taken only when its document scores at least as much as both that go into it,
 * and has no finding that neither of them has; else the better of the two goes on alone. Throws
 * INPUT_INVALID without variants.
 */
export function merge<Content>(
  ports: MergePorts<Content>,
  ancestor: Content,
  variants: readonly Variant<Content>[],
  { strategy = 'three-way', decay }: MergeOptions,
): Merged<Content> {
  const { kind } = ports
  const base = kind.outline(ancestor)
  const [first, ...others] = ranked(variants, decay)
  if (!first) {
    const message = 'must hold at least one version: there is nothing to merge'
    throw new AlmanacError('INPUT_INVALID', {
      issues: [{ field: 'variants', message, value: '[]' }],
    })
  }
  let standing = enter(kind, first, base)
  const conflicts: Conflict[] = []
  const leftOut: LeftOut[] = []
  for (const variant of others) {
    const entrant = enter(kind, variant, withAdditions(base, standing.elements))
    const step = join(ports, base, [standing, entrant], choices[strategy])
    standing = step.standing
    conflicts.push(...step.conflicts)
    leftOut.push(...step.leftOut)
  }
  const { elements: _, ids: parents, ...best } = standing
  return { ...best, parents, conflicts, leftOut }
}

interface Step<Content> {
  standing: Standing<Content>
  conflicts: Conflict[]
  leftOut: LeftOut[]
}

function join<Content>(
  { kind, judge }: MergePorts<Content>,
  base: Outline,
  sides: readonly [Standing<Content>, Standing<Content>],
  choose: Choose,
): Step<Content> {
  const [holder, entrant] = sides
  const { elements, disagreements } = combine(base, [sideOf(holder), sideOf(entrant)], choose)
  const content = kind.compose(elements)
  const judged = judge(content)
  const joined: Standing<Content> = {
    ...judged,
    content,
    elements: placed(kind.outline(content), elements),
    ids: [...holder.ids, ...entrant.ids],
  }
  const conflicts = disagreements.map(({ taken, ...rest }): Conflict => {
    const ids: Conflict['sides'] = [holder.ids, entrant.ids]
    return { ...rest, sides: ids, taken: ids[taken] }
  })
  const newFindings = findingsBeyond(joined, sides)
  const isLower = joined.score < Math.max(holder.score, entrant.score)
  if (!isLower && newFindings.length === 0) return { standing: joined, conflicts, leftOut: [] }
  const [standing, loser] = entrant.score > holder.score ? [entrant, holder] : [holder, entrant]
  const reason = isLower ? 'lower_score' : 'new_findings'
  const { score } = joined
  const leftOut = loser.ids.map((id) => ({ id, reason, score, newFindings, conflicts }) as const)
  return { standing, conflicts: [], leftOut }
}

const sideOf = <Content>(standing: Standing<Content>): Side => ({
  elements: standing.elements,
  scoreOf: componentScores(standing.elements, standing),
})

/** The outline of what was composed of `elements`, under their ids. */
function placed(outline: Outline, elements: readonly OutlineElement[]): Outline {
  const under = (element: PlacedElement, { id, parentId }: OutlineElement) => ({
    ...element,
    id,
    parentId,
  })
  const inOrder = outline.flatMap((element, i) => {
    const own = elements[i]
    return own && saysSame(own, element) ? [under(element, own)] : []
  })
  if (inOrder.length === outline.length) return inOrder
  // A kind may put levels in an order of its own: then what says the same is the same.
  const said = ({ level, value }: OutlineElement) => JSON.stringify([level, value])
  const bySaying = Map.groupBy(elements, said)
  return outline.map((element) => {
    const own = bySaying.get(said(element))?.shift()
    return own ? under(element, own) : element
  })
}
