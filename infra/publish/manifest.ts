import type { Workspace } from './workspace.ts'

/** The oldest Node that has all that the built JavaScript uses. */
const node = '>=22'

/** The `package.json` of a published package: its entries point at what was built. */
export function publishedManifest(
  { packages }: Workspace,
  name: string,
  externals: ReadonlyMap<string, string>,
): object {
  const own = packages.get(name)
  if (!own) throw new Error(`the workspace has no package ${name}`)
  const { version, description, license, exports, publishConfig } = own.manifest
  const place = (file: string) => file.replace('./src/', `./${own.folder}/`).replace(/\.ts$/, '')
  return {
    name,
    version,
    description,
    license,
    type: 'module',
    engines: { node },
    exports: Object.fromEntries(
      Object.entries(exports).map(([path, file]) => [
        path,
        { types: `${place(file)}.d.ts`, default: `${place(file)}.js` },
      ]),
    ),
    dependencies: Object.fromEntries(
      [...externals]
        .sort()
        .map(([external, owner]) => [external, pinOf(packages, external, owner)]),
    ),
    publishConfig,
  }
}

/** The version of a dependency that the workspace's package of that folder was made and tested with. */
function pinOf(packages: Workspace['packages'], external: string, owner: string): string {
  const asking = [...packages.values()].find(({ folder }) => folder === owner)
  const pin = asking?.manifest.dependencies[external]
  if (pin === undefined) throw new Error(`packages/${owner} imports ${external} without naming it`)
  return pin
}
