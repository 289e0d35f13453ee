import type { AnyDocumentKind } from '@almanac/documents'
import {
  AlmanacError,
  artifactFormats,
  documentKinds,
  mergeStrategies,
  variantStrategies,
  type Issue,
} from '@almanac/domain'
import type { Checklist, Content, Engine, Exporter, Strategies } from '@almanac/pipeline'
import type { Manifest } from '@almanac/plugin-api'
import type { Config, Log } from '@almanac/runtime'
import type { Deliverer } from '@almanac/worker'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { hookNames, type HookName } from './plugins/messages.ts'
import { pluginEngines } from './plugins/plugin-engine.ts'
import { pluginJudges } from './plugins/plugin-judges.ts'
import { pluginKinds } from './plugins/plugin-kinds.ts'
import { mostPluginWeight, pluginMetrics, type PluginMetric } from './plugins/plugin-metrics.ts'
import { pluginDeliverers, pluginExporters } from './plugins/plugin-outputs.ts'
import { pluginStrategies } from './plugins/plugin-strategies.ts'
import {
  PluginRefused,
  startPluginThread,
  type PluginThread,
  type ThreadOptions,
} from './plugins/plugin-thread.ts'

/** What the plugins of the configuration bring, each call guarded. */
export interface Plugins {
  engines: readonly Engine[]
  kinds: readonly AnyDocumentKind[]
  metrics: readonly PluginMetric[]
  checklists: readonly Checklist[]
  exporters: readonly Exporter[]
  strategies: Strategies
  deliverers(content: Pick<Content, 'get'>): Record<string, Deliverer>
  close(): Promise<void>
}

/** No plugins at all. */
export const noPlugins: Plugins = together([])

/**
 * Loads the plugins of the configuration, each in a thread of its own. Throws CONFIG_INVALID that names
 * every plugin that cannot be used, and why: not found, throws or hangs while it is loaded, another
 * version, an incomplete hook, a name that something else has.
 */
export async function loadPlugins(
  { plugins: { modules, environment } }: Pick<Config, 'plugins'>,
  log: Log,
  limits: Pick<ThreadOptions, 'loadMs' | 'nowMs' | 'restMs'> = {},
): Promise<Plugins> {
  if (modules.length === 0) return noPlugins
  const attempts = await Promise.all(
    modules.map(async (module): Promise<PluginThread | Issue> => {
      try {
        const print = (line: string) => {
          log.info({ plugin: module }, line)
        }
        return await startPluginThread({ ...limits, module: urlOf(module), environment, print })
      } catch (error) {
        if (error instanceof PluginRefused) return issue(module, error.message)
        throw error
      }
    }),
  )
  const threads = attempts.flatMap((one) => ('manifest' in one ? [one] : []))
  const issues = [
    ...attempts.flatMap((one) => ('manifest' in one ? [] : [one])),
    ...clashes(threads.map(({ manifest }) => manifest)),
  ]
  if (issues.length === 0) return together(threads)
  await Promise.all(threads.map((thread) => thread.close()))
  throw new AlmanacError('CONFIG_INVALID', { issues })
}

function together(threads: readonly PluginThread[]): Plugins {
  const strategies = threads.map(pluginStrategies)
  const named = <K extends keyof Strategies>(key: K): Strategies[K] =>
    Object.assign({}, ...strategies.map((one) => one[key]))
  return {
    engines: threads.flatMap(pluginEngines),
    kinds: threads.flatMap(pluginKinds),
    metrics: threads.flatMap(pluginMetrics),
    checklists: threads.flatMap(pluginJudges),
    exporters: threads.flatMap(pluginExporters),
    deliverers: (content) =>
      Object.assign({}, ...threads.map((thread) => pluginDeliverers(thread, content))),
    strategies: {
      variants: named('variants'),
      merges: named('merges'),
      terminations: named('terminations'),
    },
    close: async () => {
      await Promise.all(threads.map((thread) => thread.close()))
    },
  }
}

/** A path counts from the working directory; so does a package, or else it is one of Almanac's own. */
function urlOf(module: string): string {
  if (/^\.{0,2}[/\\]|\.[cm]?[jt]s$/.test(module)) {
    const file = resolve(module)
    if (!existsSync(file)) throw new PluginRefused(`there is no file ${file}`)
    return pathToFileURL(file).href
  }
  try {
    return pathToFileURL(createRequire(join(process.cwd(), 'index.js')).resolve(module)).href
  } catch {
    return module
  }
}

const issue = (plugin: string, reason: string): Issue => ({
  field: 'ALMANAC_PLUGINS',
  message: `the plugin ${plugin} cannot be used: ${reason}`,
})

const builtIn: Record<HookName, readonly string[]> = {
  engines: ['deterministic', 'openai'],
  kinds: documentKinds,
  metrics: [],
  judges: [],
  exporters: artifactFormats,
  deliverers: ['file'],
  variants: variantStrategies,
  merges: mergeStrategies,
  terminations: [],
}

/** What of a plugin has a share of the conformance score. */
const measuring = ({ metrics, judges }: Manifest) => [...metrics, ...judges]

/** Names that two plugins have, or that Almanac has itself, and metrics that weigh too much together. */
function clashes(manifests: readonly Manifest[]): Issue[] {
  const issues: Issue[] = []
  const owners = new Map<string, string>()
  const claim = (manifest: Manifest, what: string) => {
    const owner = owners.get(what)
    if (owner === undefined) owners.set(what, `the plugin ${manifest.name}`)
    else issues.push(issue(manifest.name, `${what} is already that of ${owner}`))
  }
  for (const hook of hookNames)
    for (const name of builtIn[hook]) owners.set(`the name ${name} among ${hook}`, 'Almanac itself')
  for (const manifest of manifests) claim(manifest, `the name ${manifest.name}`)
  for (const manifest of manifests)
    for (const hook of hookNames)
      for (const entry of manifest[hook]) {
        // Metrics go by their plugin's name besides, so only one's own can clash.
        const name = 'format' in entry ? entry.format : entry.name
        const isMetric = hook === 'metrics' || hook === 'judges'
        const among = isMetric ? `the metrics of ${manifest.name}` : hook
        claim(manifest, `the name ${name} among ${among}`)
      }
  const kinds = [...documentKinds, ...manifests.flatMap((one) => one.kinds.map(({ name }) => name))]
  const unknown = manifests.flatMap((manifest) =>
    [
      ...measuring(manifest).map(({ kind }) => kind),
      ...manifest.exporters.flatMap((one) => one.kinds),
    ]
      .filter((kind) => !kinds.some((known) => known === kind))
      .map((kind) => issue(manifest.name, `there is no kind of document ${kind}`)),
  )
  const heavy = kinds.flatMap((kind) => {
    const ofKind = (one: Manifest) => measuring(one).filter((metric) => metric.kind === kind)
    const metrics = manifests.flatMap(ofKind)
    const weight = metrics.reduce((sum, metric) => sum + metric.weight, 0)
    if (weight <= mostPluginWeight + 1e-9) return []
    const names = manifests.filter((one) => ofKind(one).length > 0)
    return [
      issue(
        names.map(({ name }) => name).join(' and '),
        `its metrics of the kind ${kind} weigh ${weight} together; at most ${mostPluginWeight} is allowed`,
      ),
    ]
  })
  return [...issues, ...unknown, ...heavy]
}

/** The names in ALMANAC_DELIVERERS. Throws CONFIG_INVALID for one that nothing brings. */
export function chosenDeliverers(
  { deliverers: chosen }: Pick<Config, 'deliverers'>,
  deliverers: Readonly<Record<string, Deliverer>>,
): string[] {
  const issues = chosen
    .filter((name) => !Object.hasOwn(deliverers, name))
    .map((name) => ({
      field: 'ALMANAC_DELIVERERS',
      message: `must name only ${Object.keys(deliverers).join(', ')}`,
      value: JSON.stringify(name),
    }))
  if (issues.length > 0) throw new AlmanacError('CONFIG_INVALID', { issues })
  return chosen
}
