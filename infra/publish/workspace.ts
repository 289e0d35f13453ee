import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'

/** What the build reads of a package's `package.json`. */
const manifest = z.looseObject({
  name: z.string(),
  version: z.string(),
  description: z.string().optional(),
  license: z.string(),
  exports: z.record(z.string(), z.string()),
  dependencies: z.record(z.string(), z.string()).default({}),
  publishConfig: z.record(z.string(), z.json()).optional(),
})
export type SourceManifest = z.output<typeof manifest>

/** The packages below `packages/`, by name. */
export interface Workspace {
  root: string
  packages: ReadonlyMap<string, { folder: string; manifest: SourceManifest }>
}

export async function readWorkspace(root: string): Promise<Workspace> {
  const folders = await readdir(join(root, 'packages'))
  const packages = await Promise.all(
    folders.sort().map(async (folder) => {
      const text = await readFile(join(root, 'packages', folder, 'package.json'), 'utf8')
      const read = manifest.parse(JSON.parse(text))
      return [read.name, { folder, manifest: read }] as const
    }),
  )
  return { root, packages: new Map(packages) }
}

/** The names of the packages that are published: those that say how, in `publishConfig`. */
export const published = ({ packages }: Workspace): string[] =>
  [...packages].flatMap(
    ([
      name,
      {
        manifest: { publishConfig },
      },
    ]) => (publishConfig ? [name] : []),
  )

/** Every import of the workspace's own packages, with the source file below `packages/` that it leads to. */
export const ownImports = ({ packages }: Workspace): Map<string, string> =>
  new Map(
    [...packages].flatMap(
      ([
        name,
        {
          folder,
          manifest: { exports },
        },
      ]) =>
        Object.entries(exports).map(
          ([path, file]) => [join(name, path), join(folder, file)] as const,
        ),
    ),
  )
