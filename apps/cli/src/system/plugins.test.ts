import { isAlmanacError, type AlmanacError, type Issue } from '@almanac/domain'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { chosenDeliverers, loadPlugins, type Plugins } from './plugins.ts'
import { createEngine } from './engine.ts'
import { createJudge } from './judge.ts'

const folder = mkdtempSync(join(tmpdir(), 'almanac-plugins-'))
const loaded: Plugins[] = []
const printed: string[] = []
const log = {
  info: (_: object, line?: string) => printed.push(line ?? ''),
  warn: () => undefined,
} as never

afterEach(async () => {
  printed.length = 0
  await Promise.all(loaded.splice(0).map((plugins) => plugins.close()))
})
afterAll(() => {
  rmSync(folder, { recursive: true })
})

let files = 0
/** A module with this text. */
function moduleOf(text: string): string {
  const file = join(folder, `plugin-${(files += 1)}.mjs`)
  writeFileSync(file, text)
  return file
}
const pluginOf = (name: string, hooks: string, before = '') =>
  moduleOf(`${before}\nexport default { name: '${name}', apiVersion: 1, hooks: ${hooks} }`)

const limits = { loadMs: 60_000, nowMs: 2_000, restMs: 200 }

async function load(
  modules: string[],
  environment: Record<string, string> = {},
  over: Partial<typeof limits> = {},
) {
  const config = { plugins: { modules, environment } }
  const plugins = await loadPlugins(config, log, { ...limits, ...over })
  loaded.push(plugins)
  return plugins
}

const issuesOf = async (...modules: string[]): Promise<Issue[]> => {
  const error: unknown = await load(modules).then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (isAlmanacError(error, 'CONFIG_INVALID')) return error.params.issues
  throw error ?? new Error('the plugins were loaded')
}
const refusalOf = async (...modules: string[]) =>
  (await issuesOf(...modules)).map(({ message }) => message).join('\n')

const metric = (name: string, measure: string, weight = 0.1) =>
  `{ metrics: [{ name: '${name}', kind: 'report', weight: ${weight}, measure: ${measure} }] }`
const judge = (name: string, checklist: string, weight = 0.1) =>
  `{ judges: [{ name: '${name}', kind: 'report', weight: ${weight}, checklist: ${checklist} }] }`
const steady = `() => ({ value: 1, reasons: [] })`
const failureOf = (work: () => unknown): AlmanacError<'PLUGIN_FAILED'> => {
  try {
    work()
  } catch (error) {
    if (isAlmanacError(error, 'PLUGIN_FAILED')) return error
    throw error
  }
  throw new Error('nothing failed')
}

describe('a plugin that cannot be used stops the start, with its name and the reason', () => {
  it.each([
    ['is not there', () => join(folder, 'nowhere.mjs'), /nowhere\.mjs cannot be used: there is no/],
    ['is no package', () => 'no-such-package', /no-such-package cannot be used: it cannot be load/],
    [
      'throws while it is loaded',
      () => moduleOf(`throw new Error('no licence')`),
      /plugin-\d+\.mjs cannot be used: it cannot be loaded: no licence/,
    ],
    [
      'ends its process while it is loaded',
      () => moduleOf(`process.exit(0)`),
      /cannot be used: its thread ended/,
    ],
    ['exports nothing', () => moduleOf(`export {}`), /its default export is no plugin/],
    [
      'was written for another version',
      () => moduleOf(`export default { name: 'new', apiVersion: 2, hooks: {} }`),
      /it declares apiVersion 2, and this Almanac has 1/,
    ],
    ['has no hooks', () => pluginOf('empty', '{}'), /hooks must hold at least one hook/],
    [
      'lacks the function of a hook',
      () => pluginOf('half', `{ exporters: [{ format: 'csv', kinds: ['report'] }] }`),
      /hooks\.exporters\.0\.export must be a function/,
    ],
    ['names a hook that there is not', () => pluginOf('typo', `{ metric: [] }`), /hooks\.metric/],
    [
      'takes a name of Almanac itself',
      () => pluginOf('mine', `{ deliverers: [{ name: 'file', deliver() {} }] }`),
      /mine cannot be used: the name file among deliverers is already that of Almanac itself/,
    ],
    [
      'measures a kind of document that there is not',
      () => pluginOf('lost', metric('a', steady).replace('report', 'memo')),
      /lost cannot be used: there is no kind of document memo/,
    ],
  ])('one that %s', async (_, module, reason) => {
    expect(await refusalOf(module())).toMatch(reason)
  })

  it('one that never ends to load', async () => {
    const loading = load([moduleOf(`for (;;) {}`)], {}, { loadMs: 1_000 })
    await expect(loading).rejects.toThrow(/cannot be used: loading it took longer than 1000 ms/)
  })

  it('names all of them at once', async () => {
    const issues = await issuesOf(
      moduleOf(`throw new Error('first')`),
      pluginOf('fine', metric('a', steady)),
      moduleOf(`throw new Error('second')`),
    )
    expect(issues.map(({ field }) => field)).toEqual(['ALMANAC_PLUGINS', 'ALMANAC_PLUGINS'])
    expect(issues[0]?.message).toContain('first')
    expect(issues[1]?.message).toContain('second')
  })

  it('two with one name, and two hooks with one name', async () => {
    const one = pluginOf('twin', metric('a', steady))
    expect(await refusalOf(one, pluginOf('twin', metric('b', steady)))).toBe(
      'the plugin twin cannot be used: the name twin is already that of the plugin twin',
    )
    const archive = `{ deliverers: [{ name: 'archive', deliver: () => null }] }`
    expect(await refusalOf(pluginOf('left', archive), pluginOf('right', archive))).toBe(
      'the plugin right cannot be used: the name archive among deliverers is already that of the plugin left',
    )
  })

  it('metrics and judges that weigh more than half of a kind', async () => {
    const heavy = (name: string) => pluginOf(name, metric('a', steady, 0.3))
    expect(await refusalOf(heavy('one'), heavy('two'))).toMatch(
      /one and two cannot be used: its metrics of the kind report weigh 0\.6 together/,
    )
    expect(await refusalOf(heavy('one'), pluginOf('two', judge('b', '() => []', 0.3)))).toMatch(
      /one and two cannot be used: its metrics of the kind report weigh 0\.6 together/,
    )
  })

  it('a judge of the name of a metric, or of a kind of document that there is not', async () => {
    const both = `{ ...${metric('a', steady)}, ...${judge('a', '() => []')} }`
    expect(await refusalOf(pluginOf('same', both))).toBe(
      'the plugin same cannot be used: the name a among the metrics of same is already that of the plugin same',
    )
    const lost = judge('a', '() => []').replace('report', 'memo')
    expect(await refusalOf(pluginOf('lost', lost))).toMatch(/there is no kind of document memo/)
  })
})

describe('a plugin at work', () => {
  const measure = ({ metrics: [only] }: Plugins) => only?.measure('text', {} as never, [])

  it('sees of the environment only what is meant for plugins, and prints into the log', async () => {
    const plugins = await load(
      [
        pluginOf(
          'curious',
          metric(
            'env',
            `() => { console.log('measuring'); return { value: 1, reasons: Object.keys(process.env) } }`,
          ),
        ),
      ],
      { PLUGIN_COLOUR: 'blue' },
    )
    expect(measure(plugins)?.reasons).toEqual(['PLUGIN_COLOUR'])
    await expect.poll(() => printed).toContain('measuring')
  })

  it('gets copies: what it does to them is not done here', async () => {
    const plugins = await load([
      pluginOf(
        'vandal',
        metric(
          'a',
          `({ content }) => { content.text = 'gone'; return { value: 0, reasons: ['x'] } }`,
        ),
      ),
    ])
    const content = { text: 'here' }
    plugins.metrics[0]?.measure(content, {} as never, [])
    expect(content).toEqual({ text: 'here' })
  })

  it.each([
    ['throws', `() => { throw new Error('no dictionary') }`, 'no dictionary'],
    ['hangs', `() => { for (;;) {} }`, 'it did not answer within 2000 ms'],
    ['never settles', `() => new Promise(() => {})`, 'it did not answer within 2000 ms'],
    ['ends its process', `() => process.exit(1)`, ''],
    [
      'answers what is no metric',
      `() => ({ value: 7, reasons: [] })`,
      'its answer.value is not valid: Too big: expected number to be <=1',
    ],
    ['answers what is no data', `() => ({ value: () => 1 })`, '() => 1 could not be cloned.'],
  ])('fails a call when it %s, with its name', async (_, code, reason) => {
    const plugins = await load([pluginOf('bad', metric('a', code))])
    const failure = failureOf(() => measure(plugins))
    expect(failure.params).toMatchObject({ plugin: 'bad', hook: 'metric a' })
    expect(failure.params.reason).toContain(reason)
  })

  it('rests after it hung, and then works again', async () => {
    const plugins = await load([
      pluginOf(
        'moody',
        metric(
          'a',
          `({ content }) => { while (content === 'hang') {} return { value: 1, reasons: [] } }`,
        ),
      ),
    ])
    const ask = (content: string) => plugins.metrics[0]?.measure(content, {} as never, [])
    expect(failureOf(() => ask('hang')).params.reason).toContain('did not answer')
    expect(failureOf(() => ask('go')).params.reason).toContain('stopped a moment ago')
    await expect
      .poll(
        () => {
          try {
            return ask('go')
          } catch {
            return undefined
          }
        },
        { timeout: 30_000 },
      )
      .toEqual({ value: 1, reasons: [] })
  })

  it('fails what it exports and delivers, and not this process, when it hangs', async () => {
    const plugins = await load([
      pluginOf(
        'stuck',
        `{ deliverers: [{ name: 'archive', deliver: (delivery, signal) => {
            if (delivery.periodKey === 'wait') return new Promise((resolve) =>
              signal.addEventListener('abort', () => resolve('stopped')))
            while (delivery.periodKey === null) {}
            return delivery.artifacts.map(({ text }) => text)
          } }] }`,
      ),
    ])
    const deliverer = plugins.deliverers({ get: () => Promise.resolve('the text') })['archive']
    const delivery = (periodKey: string | null) =>
      ({
        periodKey,
        artifacts: [{ format: 'csv', sha256: 'a', bytes: 8 }],
      }) as never
    const ends = (key: string | null, signal: AbortSignal) =>
      deliverer?.deliver(delivery(key), signal).then(
        (value) => value,
        (error: unknown) => (error instanceof Error ? error.message : ''),
      )
    const never = new AbortController().signal
    expect(await ends('2026-W40', never)).toEqual(['the text'])

    const shutdown = new AbortController()
    const waits = ends('wait', shutdown.signal)
    shutdown.abort(new Error('shutting down'))
    expect(await waits).toBe('shutting down')

    // An endless loop is found out by a silent thread, once somebody gives up waiting.
    const loop = new AbortController()
    const [hangs, innocent] = [ends(null, loop.signal), ends('2026-W41', never)]
    // Both calls are on their way once all that waits for texts has gone on.
    await new Promise(setImmediate)
    loop.abort(new Error('too late'))
    expect(await hangs).toBe('too late')
    expect(await innocent).toContain('its thread was stopped')
    await expect.poll(() => ends('2026-W42', never), { timeout: 30_000 }).toEqual(['the text'])
  })
})

describe('a checklist of a plugin', () => {
  const { signal } = new AbortController()
  const asked = async (checklist: string, title = 'Bees') => {
    const plugins = await load([pluginOf('fit', judge('bees', checklist))])
    expect(plugins.checklists).toMatchObject([{ name: 'fit/bees', kind: 'report', weight: 0.1 }])
    return plugins.checklists[0]?.checks({ title } as never, signal)
  }

  it('is made in its thread, from the package', async () => {
    const question = '`Is it about ${input.package.title}?`'
    expect(await asked(`(input) => [{ id: 'title', question: ${question} }]`)).toEqual([
      { id: 'title', question: 'Is it about Bees?' },
    ])
  })

  it.each([
    ['throws', `() => { throw new Error('no idea') }`, 'no idea'],
    ['hangs', `() => { for (;;) {} }`, 'did not answer within 5000 ms'],
    ['asks nothing', `() => []`, 'its answer is not valid'],
    [
      'asks two things under one id',
      `() => [{ id: 'a', question: 'x?' }, { id: 'a', question: 'y?' }]`,
      'must not use an id twice',
    ],
    ['asks on two lines', `() => [{ id: 'a', question: 'x\\ny?' }]`, 'must be one line'],
  ])('fails the one call when it %s', async (_, checklist, reason) => {
    await expect(asked(checklist)).rejects.toMatchObject({
      code: 'PLUGIN_FAILED',
      params: { plugin: 'fit', hook: 'judge bees', reason: expect.stringContaining(reason) },
    })
  })

  it('is answered by the engine openai with a model of its own, and by nothing else', async () => {
    const plugins = await load([pluginOf('fit', judge('bees', '() => []'))])
    const rates = { requests: null, tokens: null }
    const openai = {
      kind: 'openai',
      api: 'responses',
      ...{ apiKey: 'sk', baseUrl: 'http://127.0.0.1:9/v1' },
      ...{ model: 'gpt-5-mini', priceFile: undefined, rates },
    } as const
    const of = async (engine: Parameters<typeof createJudge>[0]['engine']) => {
      const found = await createJudge({ engine }, plugins, log)
      expect(found.checklists).toHaveLength(1)
      return found.engine
    }
    expect(await of({ kind: 'deterministic' })).toEqual({
      none: 'the deterministic engine does not judge',
    })
    expect(await of({ kind: 'plugin', name: 'parrot', rates })).toEqual({
      none: 'the engine parrot does not judge',
    })
    expect(await of({ ...openai, judgeModel: undefined, embeddingModel: undefined })).toEqual({
      none: 'no model is set for it: LLM_JUDGE_MODEL',
    })
    expect(
      await of({ ...openai, judgeModel: 'gpt-5-nano', embeddingModel: undefined }),
    ).toMatchObject({
      ...{ name: 'openai', model: 'gpt-5-nano', provider: 'openai' },
    })
    await expect(
      of({ ...openai, judgeModel: 'no-such-model', embeddingModel: undefined }),
    ).rejects.toMatchObject({
      code: 'INPUT_INVALID',
    })
  })
})

describe('what the configuration chooses', () => {
  it('is an engine of a plugin, called in its thread', async () => {
    const plugins = await load([
      pluginOf(
        'parrot',
        `{ engines: [{
          name: 'parrot', model: 'grey-1', provider: 'parrot',
          body: ({ call }) => JSON.stringify(call),
          estimate: () => ({ microUsd: 3, tokens: 5 }),
          price: (usage) => usage.outputTokens,
          generate: async (request, body) => body === 'nonsense' ? { kind: 'joy' } : ({
            kind: 'completed', output: { said: body },
            usage: { inputTokens: 1, cachedInputTokens: 0, outputTokens: 2, estimated: false },
            served: { model: 'grey-1', tier: 'standard' }, requestId: 'one',
          }),
        }] }`,
      ),
    ])
    const choose = (name: string) =>
      createEngine(
        { engine: { kind: 'plugin', name, rates: { requests: null, tokens: null } } },
        log,
        plugins,
      )
    const engine = await choose('parrot')
    const request = { call: { kind: 'draft' } } as never
    expect(engine).toMatchObject({ name: 'parrot', model: 'grey-1', provider: 'parrot' })
    expect(engine.body(request)).toBe('{"kind":"draft"}')
    expect(engine.estimate(request, new Date(0))).toEqual({ microUsd: 3, tokens: 5 })
    const { signal } = new AbortController()
    const outcome = await engine.generate(request, 'hello', signal)
    expect(outcome).toMatchObject({ kind: 'completed', output: { said: 'hello' } })
    await expect(engine.generate(request, 'nonsense', signal)).rejects.toThrow('is not valid')
    await expect(choose('owl')).rejects.toThrow(
      'ALMANAC_ENGINE: must be one of deterministic, openai, parrot (found "owl")',
    )
  })

  it('are deliverers that there are', () => {
    const file = { deliver: () => Promise.resolve(null) }
    expect(chosenDeliverers({ deliverers: ['file'] }, { file })).toEqual(['file'])
    expect(() => chosenDeliverers({ deliverers: ['fiel'] }, { file })).toThrow(
      'ALMANAC_DELIVERERS: must name only file (found "fiel")',
    )
  })
})
