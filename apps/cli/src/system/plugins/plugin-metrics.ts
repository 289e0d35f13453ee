import type { DocumentKinds } from '@almanac/documents'
import type { Finding, Json, Metric, RunPackage } from '@almanac/domain'
import { z } from 'zod'
import type { PluginThread } from './plugin-thread.ts'

/** A metric of a plugin; its name in evaluations is `<plugin>/<metric>`, which no other has. */
export interface PluginMetric {
  name: string
  kind: string
  weight: number
  measure(
    content: Json,
    runPackage: RunPackage,
    findings: readonly Finding[],
  ): Pick<Metric, 'value' | 'reasons'>
}

const measured = z.strictObject({
  value: z.number().min(0).max(1),
  reasons: z.array(z.string().max(500)).max(20),
})

export const pluginMetrics = (thread: PluginThread): PluginMetric[] =>
  thread.manifest.metrics.map(({ name, kind, weight }, index) => ({
    name: `${thread.manifest.name}/${name}`,
    ...{ kind, weight },
    measure: (content, runPackage, findings) => {
      const input = { content, package: runPackage, findings }
      return thread.callNow({ hook: 'metrics', index, method: 'measure' }, [input], measured)
    },
  }))

/** What all metrics of plugins together may weigh of a kind of document. */
export const mostPluginWeight = 0.5

const rounded = (value: number, digits: number) => Math.round(value * 10 ** digits) / 10 ** digits

/**
 * The kinds with the metrics of plugins in their evaluations: a kind's own metrics share what those
 * leave of the weight, in their old proportion, so that all weights still sum to 1.
 */
export function withMetrics(kinds: DocumentKinds, metrics: readonly PluginMetric[]): DocumentKinds {
  if (metrics.length === 0) return kinds
  return {
    get(name) {
      const kind = kinds.get(name)
      const further = metrics.filter((metric) => metric.kind === name)
      if (further.length === 0) return kind
      const left = 1 - further.reduce((sum, { weight }) => sum + weight, 0)
      return {
        ...kind,
        evaluate: (content, runPackage, findings) => {
          const own = kind.evaluate(content, runPackage, findings)
          const all: Metric[] = [
            ...own.metrics.map((metric) => ({
              ...metric,
              weight: rounded(metric.weight * left, 10),
            })),
            ...further.map(({ name, weight, measure }) => ({
              ...{ name, weight },
              ...measure(content, runPackage, findings),
            })),
          ]
          const sum = all.reduce((total, { value, weight }) => total + value * weight, 0)
          return { ...own, metrics: all, score: Math.min(1, rounded(sum, 4)) }
        },
      }
    },
  }
}
