import { isGroup, phaseTree, type PhaseGroup, type PhaseLeaf } from './phase-tree.ts'
import type { WorkflowContent } from './schema.ts'

/**
 * The modules and what they depend on as a Mermaid flowchart. Labels hold letters, digits and a few marks
 * only, so that no text can end one, open a link, or set a style.
 */
export function mermaidOf({ modules, phases }: WorkflowContent): string {
  const nodeOf = new Map(modules.map(({ id }, i) => [id, `m${i + 1}`]))
  const node = (name: string, i: number, open: string, close: string) =>
    `m${i + 1}${open}"${label(name)}"${close}`
  let subgraphs = 0
  const subgraph = (one: PhaseLeaf | PhaseGroup, indent: string): string[] => {
    const { id, name } = isGroup(one) ? one : one.phase
    subgraphs += 1
    const head = `${indent}subgraph p${subgraphs}["${label(name)}"]`
    const inside = isGroup(one)
      ? one.parts.flatMap((part) => subgraph(part, `${indent}  `))
      : modules.flatMap((module, i) => {
          if (module.phase !== id) return []
          const [open, close] = module.registered === null ? ['[', ']'] : ['[[', ']]']
          return [`${indent}  ${node(module.name, i, open, close)}`]
        })
    return inside.length > 0 ? [head, ...inside, `${indent}end`] : []
  }
  const groups = phaseTree({ phases }).flatMap((one) => subgraph(one, '  '))
  const known = phases.map(({ id }) => id)
  const loose = modules.flatMap((module, i) =>
    known.includes(module.phase) ? [] : [`  ${node(module.name, i, '[', ']')}`],
  )
  const edges = modules.flatMap(({ id, dependsOn }) =>
    [...new Set(dependsOn)].flatMap((other) => {
      const [from, to] = [nodeOf.get(other), nodeOf.get(id)]
      return from && to ? [`  ${from} --> ${to}`] : []
    }),
  )
  return ['flowchart LR', ...groups, ...loose, ...edges].join('\n')
}

const label = (text: string): string =>
  text
    .normalize('NFKC')
    .replace(/[^\p{L}\p{M}\p{N} ,.'’()/-]+/gu, ' ')
    .replace(/\s+/g, ' ')
    .trim() || 'module'
