import type { ReportSpecification } from '@almanac/domain'
import { createDeterministicEngine } from '@almanac/llm'
import { pipeline, runInline, type RunnerPorts } from '@almanac/pipeline'
import { kindConformance, type Check } from '@almanac/plugin-api/conformance'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { loadPlugins, type Plugins } from '../../apps/cli/src/system/plugins.ts'
import { createPluggedKinds } from '../../apps/cli/src/system/runner-ports.ts'
import { createMemoryWorld } from '../../packages/pipeline/src/testing/memory-world.ts'
import {
  everythingBought,
  industries,
  readEvidence,
  sampleEvidenceFile,
  samplePeriod,
  sampleSpecification,
} from '../support/sample.ts'
import { z } from 'zod'

const root = join(import.meta.dirname, '../..')
const examples = ['csv-exporter', 'metric-readability'].map((name) =>
  join(root, `examples/plugin-${name}/plugin.ts`),
)
const bulletin = join(import.meta.dirname, 'plugin-bulletin/plugin.ts')
const folder = mkdtempSync(join(tmpdir(), 'almanac-plugins-'))
const loaded: Plugins[] = []
const quiet = { info: () => undefined, warn: () => undefined } as never

afterEach(async () => {
  await Promise.all(loaded.splice(0).map((plugins) => plugins.close()))
})
afterAll(() => {
  rmSync(folder, { recursive: true })
})

async function load(...modules: string[]): Promise<Plugins> {
  const environment = { PLUGIN_ARCHIVE_DIR: join(folder, 'archive') }
  const plugins = await loadPlugins({ plugins: { modules, environment } }, quiet, { nowMs: 2_000 })
  loaded.push(plugins)
  return plugins
}

/** A world whose runs pass through the plugins. */
function worldWith(plugins: Plugins, over: Partial<ReportSpecification> = {}) {
  const specification = sampleSpecification(over)
  const world = createMemoryWorld({
    specification,
    entitlement: everythingBought,
    evidence: readEvidence(sampleEvidenceFile, specification.sources[0] ?? ''),
    industries,
    kinds: createPluggedKinds(plugins),
    engine: plugins.engines[0] ?? createDeterministicEngine(),
    now: new Date('2026-11-21T12:00:00.000Z'),
  })
  const ports: RunnerPorts = {
    ...world.ports,
    exporters: plugins.exporters,
    deliveries: { ...world.ports.deliveries, deliverers: ['file', 'archive'] },
  }
  return {
    ...world,
    async run() {
      const run = world.accept({ period: samplePeriod })
      const { id: runId, tenantId } = run.facts
      await runInline(pipeline, 'retrieve', { tenantId, runId, epoch: 1 }, ports)
      const artifacts = run.conclusion?.artifacts.map(({ format, sha256 }) => [
        format,
        world.blobs.get(sha256) ?? '',
      ])
      return { run, artifacts: new Map(artifacts as [string, string][]) }
    },
  }
}

const evaluation = z.object({
  score: z.number(),
  metrics: z.array(z.object({ name: z.string(), value: z.number(), weight: z.number() })),
})

function pluginFile(name: string, hooks: string): string {
  const file = join(folder, `${name}.mjs`)
  writeFileSync(file, `export default { name: '${name}', apiVersion: 1, hooks: ${hooks} }`)
  return file
}

describe('a run with the example plugins', () => {
  it('is measured, exported and delivered by them as well', async () => {
    const plugins = await load(...examples)
    const world = worldWith(plugins)
    const { run, artifacts } = await world.run()
    expect(run.error).toBeNull()
    expect(run.state).toBe('succeeded')

    expect([...artifacts.keys()]).toEqual(['json', 'markdown', 'html', 'csv'])
    expect(artifacts.get('csv')).toMatch(/^"deliverable","kind","region"/)
    expect(artifacts.get('json')).toContain('readability/sentence-length')

    const { score, metrics } = evaluation.parse(
      JSON.parse(run.conclusion?.version.evaluation ?? ''),
    )
    const own = metrics.find(({ name }) => name === 'readability/sentence-length')
    expect(own?.weight).toBe(0.1)
    expect(metrics.find(({ name }) => name === 'coverage')?.weight).toBeCloseTo(0.36, 9)
    const sum = (of: (metric: (typeof metrics)[number]) => number) =>
      metrics.reduce((total, metric) => total + of(metric), 0)
    expect(sum(({ weight }) => weight)).toBeCloseTo(1, 9)
    expect(sum(({ weight, value }) => weight * value)).toBeCloseTo(score, 4)

    const deliveries = run.conclusion?.deliveries ?? []
    expect(deliveries.map(({ deliverer }) => deliverer)).toEqual(['file', 'archive'])
    const archive = plugins.deliverers(world.ports.content)['archive']
    const { id, tenantId, specificationId } = run.facts
    const sent = await archive?.deliver(
      {
        ...{ id: deliveries[1]!.id, tenantId, specificationId, runId: id },
        ...{ periodKey: samplePeriod, deliverer: 'archive', attempts: 1 },
        artifacts: run.conclusion?.artifacts ?? [],
      },
      new AbortController().signal,
    )
    expect(sent).toEqual({ folder: join(folder, 'archive'), files: 4 })
    expect(readdirSync(join(folder, 'archive'))).toHaveLength(5)
  })
})

describe('a plugin that fails at run time fails runs, and not the worker', () => {
  const metric = (code: string) =>
    `{ metrics: [{ name: 'a', kind: 'report', weight: 0.1, measure: ${code} }] }`

  it.each([
    [
      'a metric that throws',
      'thrower',
      metric(`() => { throw new Error('no words') }`),
      'no words',
    ],
    ['a metric in an endless loop', 'looper', metric(`() => { for (;;) {} }`), 'did not answer'],
    [
      'an exporter that eats all memory',
      'glutton',
      `{ exporters: [{ format: 'csv', kinds: ['report'], export: () => {
        const all = []; for (;;) all.push({ text: String(Math.random()) }) } }] }`,
      'it used more than 256 MB',
    ],
  ])('%s', async (_, name, hooks, reason) => {
    const world = worldWith(await load(pluginFile(name, hooks)))
    const { run } = await world.run()
    expect(run).toMatchObject({ state: 'failed', error: { code: 'PLUGIN_FAILED' } })
    expect(run.error?.detail).toContain(`of the plugin ${name} failed: `)
    expect(world.log.map(({ code }) => code)).toContain('PLUGIN_FAILED')
    expect(run.error?.detail).toMatch(new RegExp(`${reason}|stopped a moment ago`))
    // This process goes on, and so do runs without that plugin.
    const { run: next } = await worldWith(await load()).run()
    expect(next.state).toBe('succeeded')
  })
})

describe('a document kind of a plugin', () => {
  it('makes the documents of a specification that names it', async () => {
    const world = worldWith(await load(bulletin), { documentKind: 'x-bulletin' })
    const { run, artifacts } = await world.run()
    expect(run.error).toBeNull()
    expect(artifacts.get('markdown')).toMatch(/^Bulletin\n/)
    expect(artifacts.get('json')).toContain('"x-bulletin"')
  })

  it('that no plugin brings fails the run with the kinds that there are', async () => {
    const { run } = await worldWith(await load(), { documentKind: 'x-bulletin' }).run()
    expect(run.error).toMatchObject({ code: 'INPUT_INVALID' })
    expect(run.error?.detail).toContain('must be report or workflow')
  })

  it('holds to what every kind holds to, across its thread', async () => {
    const plugins = await load(bulletin)
    const kind = createPluggedKinds(plugins).get('x-bulletin')
    const specification = sampleSpecification({ documentKind: 'x-bulletin' })
    const world = worldWith(plugins, { documentKind: 'x-bulletin' })
    const { run } = await world.run()
    const { packageHash } = z
      .object({ packageHash: z.string() })
      .parse(JSON.parse(run.outputs.assemble ?? ''))
    const runPackage = JSON.parse(world.blobs.get(packageHash) ?? '')
    const [engine] = plugins.engines
    const [call] = kind.calls(runPackage)
    const outcome = await engine!.generate(
      {
        ...{ package: runPackage, call: call!, inputs: [] },
        prompt: kind.prompt(runPackage, call!, []),
        ...{ jsonSchema: {}, maxOutputTokens: 16_000 },
      },
      '',
      new AbortController().signal,
    )
    if (outcome.kind !== 'completed') throw new Error(outcome.kind)
    expect(specification.documentKind).toBe('x-bulletin')
    const checks: Check[] = kindConformance(kind, [
      { package: runPackage, answers: [outcome.output] },
    ])
    for (const { run: holds } of checks) await holds()
  })
})
