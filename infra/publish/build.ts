import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { compile } from './compile.ts'
import { published, readWorkspace, type Workspace } from './workspace.ts'
import { publishedManifest } from './manifest.ts'
import { reachable } from './reachable.ts'

/**
 * Builds the packages that are published, each as a whole package of its own in `<package>/dist`, or in
 * `into/<name>`: JavaScript and types of everything that its entries reach, whichever private package of
 * the workspace that comes from, with a `package.json` that names what is left to install.
 *
 *   sources ─ tsc ─▶ every file as .js and .d.ts ─ from each entry ─▶ what it reaches ─▶ dist/
 *
 * Answers the folders, by name. Throws when something does not compile, or an import leads nowhere.
 */
export async function buildPublished(root: string, into?: string): Promise<Map<string, string>> {
  const workspace = await readWorkspace(root)
  const emitted = await mkdtemp(join(tmpdir(), 'almanac-publish-'))
  try {
    await compile(workspace, emitted)
    const built = new Map<string, string>()
    for (const name of published(workspace)) {
      const folder = workspace.packages.get(name)?.folder ?? ''
      const target = into ? join(into, folder) : join(root, 'packages', folder, 'dist')
      await assemble(workspace, name, emitted, target)
      built.set(name, target)
    }
    return built
  } finally {
    await rm(emitted, { recursive: true, force: true })
  }
}

async function assemble(
  workspace: Workspace,
  name: string,
  emitted: string,
  target: string,
): Promise<void> {
  const { files, externals } = await reachable(workspace, name, emitted)
  await rm(target, { recursive: true, force: true })
  for (const [path, text] of files) {
    const file = join(target, path)
    await mkdir(dirname(file), { recursive: true })
    await writeFile(file, text)
  }
  const manifest = publishedManifest(workspace, name, externals)
  await writeFile(join(target, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`)
  const folder = workspace.packages.get(name)?.folder ?? ''
  await cp(join(workspace.root, 'LICENSE'), join(target, 'LICENSE'))
  await cp(join(workspace.root, 'packages', folder, 'README.md'), join(target, 'README.md'))
}

if (import.meta.main) {
  const root = join(import.meta.dirname, '../..')
  for (const [name, folder] of await buildPublished(root)) {
    const { version } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as {
      version: string
    }
    process.stdout.write(`${name} ${version}: ${folder}\n`)
  }
}
