import type { WorkflowContent, WorkflowPhase } from './schema.ts'

/** A phase that has tasks of its own, by its place in the workflow. */
export interface PhaseLeaf {
  index: number
  phase: WorkflowPhase
  /** `2`, or of a sub-phase `2.1`. */
  number: string
}

/** A phase that was expanded: a heading over its sub-phases. */
export interface PhaseGroup {
  id: string
  name: string
  goal: string
  number: string
  parts: PhaseTree
}

export type PhaseTree = readonly (PhaseLeaf | PhaseGroup)[]

/** The phases of a workflow as people number them: neighbours that were one phase stand under it. */
export const phaseTree = ({ phases }: Pick<WorkflowContent, 'phases'>): PhaseTree =>
  grouped(
    phases.map((phase, index) => ({ phase, index })),
    0,
    '',
  )

function grouped(
  all: readonly Pick<PhaseLeaf, 'phase' | 'index'>[],
  level: number,
  above: string,
): PhaseTree {
  const tree: (PhaseLeaf | PhaseGroup)[] = []
  for (let at = 0; at < all.length;) {
    const here = all.slice(at)
    const [first] = here
    if (!first) break
    const number = `${above}${tree.length + 1}`
    const group = first.phase.within?.[level]
    if (!group) {
      tree.push({ ...first, number })
      at += 1
      continue
    }
    const others = here.findIndex(({ phase }) => phase.within?.[level]?.id !== group.id)
    const own = others < 0 ? here : here.slice(0, others)
    tree.push({ ...group, number, parts: grouped(own, level + 1, `${number}.`) })
    at += own.length
  }
  return tree
}

export const isGroup = (one: PhaseLeaf | PhaseGroup): one is PhaseGroup => 'parts' in one

/** The phases of a tree in their order, each with its number. */
export const leavesOf = (tree: PhaseTree): PhaseLeaf[] =>
  tree.flatMap((one) => (isGroup(one) ? leavesOf(one.parts) : [one]))
