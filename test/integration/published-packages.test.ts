import { checkPlugin } from '@almanac/plugin-api'
import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { testApi } from '../../apps/api/src/testing/test-api.ts'
import { buildPublished } from '../../infra/publish/build.ts'
import { testTenant } from '../support/postgres.ts'

/** The packages as somebody gets them who installs them: built, packed, and unpacked in a project elsewhere. */
const run = promisify(execFile)
const root = resolve(import.meta.dirname, '../..')

let project: string
const manifests = new Map<string, z.output<typeof manifest>>()
const manifest = z.looseObject({
  name: z.string(),
  exports: z.record(z.string(), z.object({ types: z.string(), default: z.string() })),
  dependencies: z.record(z.string(), z.string()),
})

beforeAll(async () => {
  project = await mkdtemp(join(tmpdir(), 'almanac-published-'))
  const built = await buildPublished(root, join(project, 'built'))
  await Promise.all([...built].map(([name, folder]) => install(name, folder)))
  const asked = new Set(
    [...manifests.values()].flatMap(({ dependencies }) => Object.keys(dependencies)),
  )
  for (const name of asked) {
    const link = join(project, 'node_modules', name)
    await mkdir(dirname(link), { recursive: true })
    await symlink(join(root, 'node_modules', name), link)
  }
}, 120_000)
/** Packs a built package, and unpacks it where an installation would. */
async function install(name: string, folder: string): Promise<void> {
  const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', project], {
    cwd: folder,
  })
  const [packed] = z.array(z.looseObject({ filename: z.string() })).parse(JSON.parse(stdout))
  const installed = join(project, 'node_modules', name)
  await mkdir(installed, { recursive: true })
  const tarball = join(project, packed?.filename ?? '')
  await run('tar', ['-xzf', tarball, '-C', installed, '--strip-components=1'])
  const text = await readFile(join(installed, 'package.json'), 'utf8')
  manifests.set(name, manifest.parse(JSON.parse(text)))
}

afterAll(() => rm(project, { recursive: true, force: true }))

/** Runs a module of the project on plain Node, and answers what it printed, as JSON. */
async function printed(name: string, source: string, env: Record<string, string> = {}) {
  const file = join(project, name)
  await writeFile(file, source)
  const { stdout } = await run(process.execPath, [file], {
    env: { PATH: process.env.PATH, ...env },
  })
  return JSON.parse(stdout) as unknown
}

/** A plugin in another package, as one that is installed. */
const plugin = `
import { definePlugin } from '@almanac/plugin-api'

export const exporter = {
  format: 'txt',
  kinds: ['report', 'workflow'],
  export: ({ metadata }) => [metadata.classification, metadata.test ? 'TEST RUN' : 'A document',
    metadata.title.replace(/[^\\x20-\\x7e]/g, '')].join(' / '),
}
export default definePlugin({ name: 'plain-title', apiVersion: 1, hooks: { exporters: [exporter] } })
`

/** Runs the exporters' suite over the plugin's exporter, and over one that throws dice. */
const suite = `
import { checkPlugin } from '@almanac/plugin-api'
import { exporterConformance } from '@almanac/plugin-api/conformance'
import plugin, { exporter } from 'almanac-plugin-title'

const outcome = async (hook) => {
  const checks = exporterConformance(hook)
  const failed = []
  for (const { name, run } of checks) await run().catch(() => failed.push(name))
  return { checks: checks.length, failed }
}
const noisy = { ...exporter, export: (input) => exporter.export(input) + Math.random() }
const result = { check: checkPlugin(plugin).ok, mine: await outcome(exporter), noisy: await outcome(noisy) }
console.log(JSON.stringify(result))
`

describe('the published packages', () => {
  it('are those that say so, hold JavaScript and types, and need nothing that is not published', async () => {
    expect([...manifests.keys()].sort()).toEqual(['@almanac/client', '@almanac/plugin-api'])
    for (const [name, { dependencies, exports, ...rest }] of manifests) {
      const folder = join(project, 'node_modules', name)
      const paths = await readdir(folder, { recursive: true, withFileTypes: true })
      const files = paths.filter((one) => one.isFile()).map((one) => join(one.parentPath, one.name))
      expect(files.filter((file) => !/(?:\.js|\.d\.ts)$/.test(file)).sort()).toEqual(
        ['LICENSE', 'README.md', 'package.json'].map((file) => join(folder, file)),
      )
      for (const { types, default: code } of Object.values(exports))
        expect(files).toEqual(expect.arrayContaining([join(folder, types), join(folder, code)]))
      for (const file of files.filter((one) => !one.endsWith('README.md')))
        expect(await readFile(file, 'utf8'), file).not.toMatch(
          /(?:from |import\(|import )["'](?:@almanac\/|\.[^"']*\.ts["'])/,
        )
      expect(Object.keys(dependencies).filter((one) => one.startsWith('@almanac/'))).toEqual([])
      expect(rest).not.toHaveProperty('private')
    }
  })

  it('leave the workspace at its sources', () => {
    const { resolve: found } = createRequire(join(root, 'package.json'))
    for (const [name, folder] of [
      ['@almanac/client', 'client'],
      ['@almanac/plugin-api', 'plugin-api'],
    ] as const)
      expect(found(name)).toBe(join(root, 'packages', folder, 'src/index.ts'))
  })

  it('make a plugin on plain Node that passes its suite, and that Almanac takes', async () => {
    const folder = join(project, 'node_modules/almanac-plugin-title')
    await mkdir(folder)
    await writeFile(
      join(folder, 'package.json'),
      '{ "name": "almanac-plugin-title", "type": "module", "exports": "./index.js" }',
    )
    await writeFile(join(folder, 'index.js'), plugin)
    const result = await printed('suite.mjs', suite)
    const { mine, noisy, check } = z
      .object({
        check: z.boolean(),
        mine: z.object({ checks: z.number(), failed: z.array(z.string()) }),
        noisy: z.object({ checks: z.number(), failed: z.array(z.string()) }),
      })
      .parse(result)
    expect(check).toBe(true)
    expect(mine.failed).toEqual([])
    expect(mine.checks).toBeGreaterThan(2)
    expect(noisy.failed.length).toBeGreaterThan(0)
    const loaded = (await import(pathToFileURL(join(folder, 'index.js')).href)) as object
    expect(checkPlugin('default' in loaded ? loaded.default : undefined)).toMatchObject({
      ok: true,
    })
  })

  it('are typed: what is right compiles, and what is wrong does not', async () => {
    await writeFile(
      join(project, 'consumer.ts'),
      `import { createClient, isAlmanacError, type ErrorCode } from '@almanac/client'
import { definePlugin, type ExporterHook, type Finding } from '@almanac/plugin-api'
import { exporterConformance, type Check } from '@almanac/plugin-api/conformance'
const exporter: ExporterHook = { format: 'txt', kinds: ['report'], export: ({ metadata }) => metadata.title }
export default definePlugin({ name: 'plain', apiVersion: 1, hooks: { exporters: [exporter] } })
export const checks: Check[] = exporterConformance(exporter)
export const codes = (findings: readonly Finding[]): string[] => findings.map(({ code }) => code)
export const code = (error: unknown): ErrorCode | undefined => isAlmanacError(error) ? error.code : undefined
const almanac = createClient({ url: 'http://127.0.0.1:4242', key: 'alm_x' })
export const state = async (): Promise<'succeeded' | string> => (await almanac.getRun({ params: { id: 'run_01h455vb4pex5vsknk084sn02q' } })).state
// @ts-expect-error an operation that takes an id needs one
void almanac.getRun({})
// @ts-expect-error a hook's version is a number of this package
definePlugin({ name: 'plain', apiVersion: 2, hooks: {} })
// @ts-expect-error a report has a title, and no such thing
export const wrong: ExporterHook = { ...exporter, export: ({ metadata }) => metadata.headline }
`,
    )
    const compilerOptions = {
      ...{ target: 'ES2024', module: 'NodeNext', strict: true, noEmit: true, skipLibCheck: false },
      ...{ lib: ['ES2024', 'DOM', 'DOM.AsyncIterable'], types: [] },
    }
    await writeFile(
      join(project, 'tsconfig.json'),
      JSON.stringify({ compilerOptions, files: ['consumer.ts'] }),
    )
    await writeFile(join(project, 'package.json'), '{ "type": "module" }')
    const tsc = join(root, 'node_modules/typescript-7/bin/tsc')
    const said = await run(process.execPath, [tsc, '-p', project]).then(
      () => '',
      (cause: unknown) =>
        cause instanceof Error && 'stdout' in cause ? String(cause.stdout) : 'failed',
    )
    expect(said).toBe('')
  })

  it('call a real API, and throw what it refuses', async () => {
    const { db, url } = await testApi()
    const { key, specificationId } = await testTenant(db)
    const result = await printed(
      'call.mjs',
      `import { createClient, isAlmanacError } from '@almanac/client'
       const { URL: url, KEY: key, SPECIFICATION: specificationId } = process.env
       const almanac = createClient({ url, key })
       const run = await almanac.createRun({ body: { specificationId, period: '2025-W01' } })
       const { data } = await almanac.listRuns()
       const refused = await createClient({ url, key: 'alm_nobody' }).listRuns().catch((error) => error)
       console.log(JSON.stringify({ made: run.id, listed: data.map(({ id }) => id), known: isAlmanacError(refused), code: refused.code }))`,
      { URL: url, KEY: key, SPECIFICATION: specificationId },
    )
    const { made, listed, known, code } = z
      .object({
        made: z.string(),
        listed: z.array(z.string()),
        known: z.boolean(),
        code: z.string(),
      })
      .parse(result)
    expect(listed).toEqual([made])
    expect({ known, code }).toEqual({ known: true, code: 'KEY_INVALID' })
  })
})
