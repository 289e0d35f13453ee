import { reportDraft } from '@almanac/documents'
import type { ReportSpecification } from '@almanac/domain'
import { createDeterministicEngine } from '@almanac/llm'
import { pipeline, runInline, runVariant, type Engine, type RunnerPorts } from '@almanac/pipeline'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { loadPlugins, type Plugins } from '../../apps/cli/src/system/plugins.ts'
import { createMemoryWorld } from '../../packages/pipeline/src/testing/memory-world.ts'
import { withDefectiveDraft } from '../support/defective-engine.ts'
import {
  everythingBought,
  industries,
  kinds,
  readEvidence,
  sampleEvidenceFile,
  samplePeriod,
  sampleSpecification,
} from '../support/sample.ts'

/** Refinement by strategies of real plugins, each in its thread. */

const example = join(import.meta.dirname, '../../examples/plugin-refinement/plugin.ts')
const folder = mkdtempSync(join(tmpdir(), 'almanac-strategies-'))
const loaded: Plugins[] = []
const quiet = { info: () => undefined, warn: () => undefined } as never
const [source = ''] = sampleSpecification().sources
const { signal } = new AbortController()

afterEach(async () => {
  await Promise.all(loaded.splice(0).map((plugins) => plugins.close()))
})
afterAll(() => {
  rmSync(folder, { recursive: true })
})

async function load(...modules: string[]): Promise<Plugins> {
  const plugins = await loadPlugins({ plugins: { modules, environment: {} } }, quiet)
  loaded.push(plugins)
  return plugins
}

let files = 0
/** A plugin of the name `own` with these hooks. */
function pluginOf(hooks: string): string {
  const file = join(folder, `own-${(files += 1)}.mjs`)
  writeFileSync(file, `export default { name: 'own', apiVersion: 1, hooks: { ${hooks} } }`)
  return file
}

type Enabled = Extract<ReportSpecification['refinement'], { enabled: true }>

const outcome = z.object({
  stopReason: z.string(),
  versionLabel: z.string(),
  problem: z.nullable(z.string()),
})

const defective = withDefectiveDraft(createDeterministicEngine())

/** An engine of whose variants each completes one section in three, so that only a merge has them all. */
const divided: Engine = {
  ...defective,
  generate: async (request, body, abort) => {
    const made = await defective.generate(request, body, abort)
    if (request.call.kind !== 'variant' || made.kind !== 'completed') return made
    const draft = reportDraft.parse(made.output)
    const isOwn = (s: number) => s % 3 === Number(request.call.part) - 1
    const sections = draft.sections.map((one, s) =>
      isOwn(s) ? one : { ...one, items: one.items.slice(0, 1) },
    )
    return { ...made, output: { ...draft, sections } }
  },
}

/** A whole run of a defective draft, refined with these plugins. */
async function refined(plugins: Plugins, over: Partial<Enabled> = {}, engine: Engine = defective) {
  const world = createMemoryWorld({
    specification: sampleSpecification({
      refinement: {
        enabled: true,
        ...{ maxDepth: 10, maxChildren: 100, checkpointRatio: 0.8, decay: 0, variants: 3 },
        checkpointExpiryMinutes: 60,
        termination: [{ type: 'depth_reached', depth: 1 }],
        ...over,
      },
    }),
    entitlement: everythingBought,
    evidence: readEvidence(sampleEvidenceFile, source),
    industries,
    kinds,
    engine,
    now: new Date('2026-11-21T12:00:00.000Z'),
  })
  const ports: RunnerPorts = { ...world.ports, strategies: plugins.strategies }
  const run = world.accept({ period: samplePeriod })
  const { id: runId, tenantId } = run.facts
  const go = () => runInline(pipeline, run.nextStage, { tenantId, runId, epoch: run.epoch }, ports)
  await go()
  while (world.refined.jobs.length > 0) {
    for (const job of world.refined.jobs.splice(0)) await runVariant(job, ports, signal)
    await go()
  }
  // Whatever plugins do, a run with a valid document succeeds.
  expect(run.error).toBeNull()
  expect(run.state).toBe('succeeded')
  const root = world.refined.roots.get(runId)
  const output = outcome.parse(JSON.parse(run.outputs.refine ?? '{}'))
  const briefs = (root?.generations ?? []).map(({ variants }) =>
    variants.map(({ call }) => strategyOf(call)),
  )
  return { run, root, output, briefs }
}

const strategyOf = (call: string): string => {
  const { brief } = z.object({ brief: z.string() }).parse(JSON.parse(call))
  return z.object({ strategy: z.string() }).parse(JSON.parse(brief)).strategy
}

describe('strategies of a plugin that a specification names', () => {
  it('say what variants are told', async () => {
    const { output, root, briefs } = await refined(await load(example), {
      strategies: { variants: ['worst-first'] },
    })
    expect(output).toMatchObject({ stopReason: 'depth', problem: null })
    expect(new Set(briefs[0])).toEqual(new Set(['worst-first']))
    const [draft, best] = root?.bests ?? []
    expect(best?.score).toBeGreaterThan(draft?.score ?? 1)
  })

  it('make one document of several, which is taken where it is better than each of them', async () => {
    const by = { strategies: { merge: 'keep-all' } }
    const { output, root } = await refined(await load(example), by, divided)
    expect(output).toMatchObject({ stopReason: 'depth', problem: null, versionLabel: '1.m' })
    const [generation] = root?.generations ?? []
    expect(generation?.merge).toBe('accepted')
    for (const { version } of generation?.variants ?? [])
      expect(root?.bests.at(-1)?.score).toBeGreaterThan(version?.score ?? 1)
  })

  it('share the variants out with Almanac’s own, in the order in which they are named', async () => {
    const plugins = await load(example)
    const by = async (...variants: string[]) =>
      (await refined(plugins, { strategies: { variants } })).briefs[0]
    expect(await by('coverage-gaps', 'worst-first')).toEqual([
      'coverage-gaps',
      'coverage-gaps',
      'worst-first',
    ])
    expect((await by('worst-first', 'coverage-gaps'))?.[0]).toBe('worst-first')
  })

  it('end a refinement, with what they said in the word of the guard', async () => {
    const once = pluginOf(
      `terminations: [{ name: 'once', stops: ({ lineage }) => lineage.depth > 0 ? 'one is enough' : null }]`,
    )
    const { output, root } = await refined(await load(once), {
      termination: [
        { type: 'depth_reached', depth: 9 },
        { type: 'plugin', name: 'once' },
      ],
    })
    expect(output).toMatchObject({ stopReason: 'plugin', problem: null })
    expect(root?.generations).toHaveLength(1)
  })

  it('cannot have a merge taken that is worse than its parents', async () => {
    const shrink = pluginOf(`merges: [{ name: 'shrink', merge: ({ variants }) => ({
      elements: variants[0].outline.filter(({ level, id }) => level !== 'item').map(({ level, id, parentId, value }) =>
        ({ level, id, parentId, value })),
      parents: variants.map(({ id }) => id) }) }]`)
    const { output, root } = await refined(await load(shrink), { strategies: { merge: 'shrink' } })
    expect(output).toMatchObject({ stopReason: 'depth', problem: null })
    expect(root?.generations.map(({ merge }) => merge)).toEqual(['rejected'])
    expect(output.versionLabel).toMatch(/^1\.\d$/)
  })

  it('are of Almanac where none is named, and its merges can be named too', async () => {
    const { briefs, root } = await refined(await load(example), {
      strategies: { merge: 'additive' },
    })
    expect(briefs[0]).not.toContain('worst-first')
    expect(root?.generations).toHaveLength(1)
  })
})

describe('a plugin that is bad ends the refinement with the best so far, and not the run', () => {
  const endless = '() => { for (;;) {} }'
  const variants = (code: string) => pluginOf(`variants: [{ name: 'mine', briefs: ${code} }]`)
  const merges = (code: string) => pluginOf(`merges: [{ name: 'mine', merge: ${code} }]`)
  const conditions = (code: string) => pluginOf(`terminations: [{ name: 'mine', stops: ${code} }]`)
  const asked = {
    variants: { strategies: { variants: ['mine'] } },
    merges: { strategies: { merge: 'mine' } },
    conditions: {
      termination: [
        { type: 'depth_reached', depth: 9 },
        { type: 'plugin', name: 'mine' },
      ],
    },
  } satisfies Record<string, Partial<Enabled>>
  const finding = `{ code: 'TOO_LONG', severity: 'warning', path: '/summary/0', message: 'x' }`

  it.each([
    ['a variant strategy throws', variants(`() => { throw new Error('no idea') }`), 'no idea'],
    ['a variant strategy hangs', variants(endless), 'did not answer within 5000 ms'],
    [
      'a brief names nothing',
      variants(`() => [{ task: 'Please improve.', findings: [], checks: [] }]`),
      'a brief names nothing to close',
    ],
    [
      'a brief names a finding of nobody',
      variants(`() => [{ task: 'x', findings: [${finding}], checks: [] }]`),
      'a brief names a finding or check that the document does not have',
    ],
    [
      'there are too many briefs',
      variants(`({ findings, evaluation, count }) => Array(count + 1).fill({ task: 'x', findings,
        checks: evaluation.metrics.flatMap(({ name, reasons }) =>
          reasons.map((reason) => ({ metric: name, reason }))) })`),
      'it gave 4 briefs, 3 were asked for',
    ],
  ])('where %s', async (_, module, reason) => {
    const { output, root } = await refined(await load(module), asked.variants)
    expect(output).toMatchObject({ stopReason: 'error', versionLabel: '1' })
    expect(output.problem).toContain('The variant strategy mine of the plugin own failed: ')
    expect(output.problem).toContain(reason)
    expect(root?.ended).toBe('error')
  })

  it.each([
    ['a merge strategy throws', merges(`() => { throw new Error('no idea') }`), 'no idea'],
    ['a merge strategy hangs', merges(endless), 'did not answer within 5000 ms'],
    [
      'a merge has parents of nobody',
      merges(`() => ({ elements: [], parents: ['ver_1'] })`),
      'its parents are not versions that it was given',
    ],
  ])('where %s: the best variant goes on', async (_, module, reason) => {
    const { output, root } = await refined(await load(module), asked.merges)
    expect(output.stopReason).toBe('error')
    expect(output.problem).toContain('The merge strategy mine of the plugin own failed: ')
    expect(output.problem).toContain(reason)
    expect(root?.generations.map(({ merge }) => merge)).toEqual(['none'])
    const [draft, best] = root?.bests ?? []
    expect(best?.score).toBeGreaterThan(draft?.score ?? 1)
  })

  it.each([
    ['a condition throws', conditions(`() => { throw new Error('no idea') }`), 'no idea'],
    ['a condition hangs', conditions(endless), 'did not answer within 5000 ms'],
    ['a condition says what is no line', conditions(`() => 'two\\nlines'`), 'is not valid'],
  ])('where %s', async (_, module, reason) => {
    const { output, root } = await refined(await load(module), asked.conditions)
    expect(output).toMatchObject({ stopReason: 'error', versionLabel: '1' })
    expect(output.problem).toContain('The termination strategy mine of the plugin own failed: ')
    expect(output.problem).toContain(reason)
    expect(root?.generations).toEqual([])
  })

  it('where what is proposed is no document of its kind', async () => {
    const module = merges(`({ variants }) => ({ parents: variants.map(({ id }) => id),
      elements: [{ level: 'item', id: 'a', parentId: null, value: {} }] })`)
    const { output } = await refined(await load(module), asked.merges)
    expect(output.stopReason).toBe('error')
    expect(output.problem).not.toBeNull()
  })

  it('where none brings what was named, with what there is', async () => {
    const { output, root } = await refined(await load(example), {
      strategies: { variants: ['brevity', 'gone'], merge: 'gone' },
      termination: [
        { type: 'depth_reached', depth: 1 },
        { type: 'plugin', name: 'gone' },
      ],
    })
    expect(output).toMatchObject({ stopReason: 'error', versionLabel: '1' })
    expect(root).toBeUndefined()
    for (const line of [
      'refinement.strategies.variants.1: must be one of coverage-gaps, brevity, evidence-depth, restructure, worst-first (found "gone")',
      'refinement.strategies.merge: must be one of three-way, additive, keep-all (found "gone")',
      'refinement.termination.1.name: must be one of half-spent (found "gone")',
    ])
      expect(output.problem).toContain(line)
  })
})
