import type { WorkflowContent } from './schema.ts'

/**
 * The modules and what they depend on as a Mermaid flowchart. Labels hold letters, digits and a few marks
 * only, so that no text can end one, open a link, or set a style.
 */
export function mermaidOf({ modules, phases }: WorkflowContent): string {
  const nodeOf = new Map(modules.map(({ id }, i) => [id, `m${i + 1}`]))
  const node = (name: string, i: number, open: string, close: string) =>
    `m${i + 1}${open}"${label(name)}"${close}`
  const groups = phases.flatMap((phase, p) => {
    const own = modules.flatMap((module, i) => (module.phase === phase.id ? [{ module, i }] : []))
    if (own.length === 0) return []
    return [
      `  subgraph p${p + 1}["${label(phase.name)}"]`,
      ...own.map(({ module, i }) =>
        module.registered === null
          ? `    ${node(module.name, i, '[', ']')}`
          : `    ${node(module.name, i, '[[', ']]')}`,
      ),
      '  end',
    ]
  })
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
