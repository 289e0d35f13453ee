import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { ownImports, published, type Workspace } from './workspace.ts'

const run = promisify(execFile)

/**
 * Compiles the entries of the published packages, and all that they import of the workspace, to
 * JavaScript and types below `out`, laid out as below `packages/`. Throws what the compiler says.
 */
export async function compile(workspace: Workspace, out: string): Promise<void> {
  const { root } = workspace
  const names = new Set(published(workspace))
  const imports = [...ownImports(workspace)].map(
    ([name, file]) => [name, join(root, 'packages', file)] as const,
  )
  const isEntry = (name: string) =>
    [...names].some((one) => name === one || name.startsWith(`${one}/`))
  const config = {
    extends: join(root, 'tsconfig.json'),
    compilerOptions: {
      noEmit: false,
      declaration: true,
      rewriteRelativeImportExtensions: true,
      rootDir: join(root, 'packages'),
      outDir: out,
      typeRoots: [join(root, 'node_modules/@types')],
      // What comes by way of node_modules is taken for another's work, and not emitted.
      paths: Object.fromEntries(imports.map(([name, file]) => [name, [file]])),
    },
    include: [],
    files: imports.flatMap(([name, file]) => (isEntry(name) ? [file] : [])),
  }
  const file = join(out, 'tsconfig.json')
  await writeFile(file, JSON.stringify(config))
  const tsc = join(root, 'node_modules/typescript-7/bin/tsc')
  try {
    await run(process.execPath, [tsc, '-p', file], { maxBuffer: 2 ** 24 })
  } catch (cause) {
    const said = cause instanceof Error && 'stdout' in cause ? String(cause.stdout) : ''
    throw new Error(`the published packages do not compile:\n${said}`, { cause })
  }
}
