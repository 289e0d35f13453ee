import { isStorable, mediaTypeOf } from '@almanac/domain'
import type { Content, Exporter } from '@almanac/pipeline'
import type { Delivery } from '@almanac/plugin-api'
import type { Deliverer } from '@almanac/worker'
import { z } from 'zod'
import type { PluginThread } from './plugin-thread.ts'

const exportMs = 10_000
const deliverMs = 60_000
const mostCharacters = 16_000_000

const text = z
  .string({ error: 'must be text' })
  .min(1, 'must not be empty')
  .max(mostCharacters, `must have at most ${mostCharacters} characters`)
  .refine(isStorable, 'must be well-formed Unicode text without NUL')

/** The formats of a plugin. */
export const pluginExporters = (thread: PluginThread): Exporter[] =>
  thread.manifest.exporters.map(({ format, kinds }, index) => ({
    ...{ format, kinds },
    export: (input, signal) => {
      const target = { hook: 'exporters', index, method: 'export' } as const
      return thread.call(target, [input], { answer: text, timeoutMs: exportMs, signal })
    },
  }))

/** The deliverers of a plugin, by name; each is given the artifacts' texts. */
export const pluginDeliverers = (
  thread: PluginThread,
  content: Pick<Content, 'get'>,
): Record<string, Deliverer> =>
  Object.fromEntries(
    thread.manifest.deliverers.map(({ name }, index): [string, Deliverer] => [
      name,
      {
        deliver: async ({ artifacts, attempts: _, deliverer: __, ...ids }, signal) => {
          const texts = artifacts.map(({ sha256 }) => content.get(ids.tenantId, sha256))
          const whole = await Promise.all(texts)
          const delivery: Delivery = {
            ...ids,
            artifacts: artifacts.map((artifact, i) => ({
              ...artifact,
              mediaType: mediaTypeOf(artifact.format),
              text: whole[i] ?? '',
            })),
          }
          const target = { hook: 'deliverers', index, method: 'deliver' } as const
          const options = { answer: z.json(), timeoutMs: deliverMs, signal }
          return thread.call(target, [delivery], options)
        },
      },
    ]),
  )
