import { readFile } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import ts from 'typescript'
import { ownImports, type Workspace } from './workspace.ts'

/** What a published package is made of. */
export interface Reached {
  /** Texts by their path in the package: `client/index.js`. */
  files: Map<string, string>
  /** The packages that have to be installed beside it, each with the workspace's package that asks for it. */
  externals: Map<string, string>
}

const kinds = ['.js', '.d.ts'] as const

/**
 * Follows the imports of a package's entries through what was emitted: JavaScript through JavaScript,
 * types through types, so that of a package of which only types are used, only those come along. Imports
 * of the workspace's own packages become relative ones.
 */
export async function reachable(
  workspace: Workspace,
  name: string,
  emitted: string,
): Promise<Reached> {
  const imports = ownImports(workspace)
  const files = new Map<string, string>()
  const externals = new Map<string, string>()
  const entries = [...imports].filter(([path]) => path === name || path.startsWith(`${name}/`))
  for (const kind of kinds) {
    const waiting = entries.map(([, file]) => withoutEnding(file))
    // The list grows while it is walked.
    for (const module of waiting) {
      const path = placeOf(module) + kind
      if (files.has(path)) continue
      const text = await readFile(join(emitted, module + kind), 'utf8').catch((cause: unknown) => {
        throw new Error(`nothing was compiled to ${module}${kind}, which ${name} needs`, { cause })
      })
      const rewritten = rewrite(text, (specifier) => {
        const target = targetOf(specifier, module, imports)
        if (target !== undefined) {
          waiting.push(target)
          return from(path, `${placeOf(target)}.js`)
        }
        if (!specifier.startsWith('node:')) externals.set(packageOf(specifier), ownerOf(module))
        return specifier
      })
      files.set(path, rewritten)
    }
  }
  return { files, externals }
}

/** The text with every imported name as `change` has it; of types also those inside of expressions. */
function rewrite(text: string, change: (specifier: string) => string): string {
  const { importedFiles } = ts.preProcessFile(text, true, true)
  let [done, out] = [0, '']
  for (const { fileName, pos } of importedFiles.toSorted((a, b) => a.pos - b.pos)) {
    const at = text.indexOf(fileName, pos)
    out += text.slice(done, at) + change(fileName)
    done = at + fileName.length
  }
  return out + text.slice(done)
}

/** The emitted module that an import leads to; undefined for one that is to be installed, or Node's. */
function targetOf(
  specifier: string,
  module: string,
  imports: ReadonlyMap<string, string>,
): string | undefined {
  if (specifier.startsWith('.')) return withoutEnding(join(dirname(module), specifier))
  const own = imports.get(specifier)
  if (own !== undefined) return withoutEnding(own)
  if (specifier.startsWith('@almanac/'))
    throw new Error(`${module} imports ${specifier}, which no package of the workspace exports`)
  return undefined
}

const withoutEnding = (file: string): string => file.replace(/\.(?:d\.ts|ts|js)$/, '')

/** Where a module stands in the package: as in the workspace, without `src`. */
const placeOf = (module: string): string => module.replace(/^([^/]+)\/src\//, '$1/')

const ownerOf = (module: string): string => module.split('/')[0] ?? ''

const packageOf = (specifier: string): string =>
  specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/')

function from(path: string, target: string): string {
  const way = relative(dirname(path), target)
  return way.startsWith('.') ? way : `./${way}`
}
