import {
  AlmanacError,
  canonicalJson,
  failedCheck,
  finding,
  isStorable,
  plainLine,
} from '@almanac/domain'
import type { Strategies } from '@almanac/pipeline'
import { z } from 'zod'
import { outlineElement } from './plugin-kinds.ts'
import type { PluginThread } from './plugin-thread.ts'

/** The worker does other things meanwhile, so that it may be longer than for what it sleeps on. */
const strategyMs = 5_000

const drafts = z.array(
  z.strictObject({
    task: z
      .string()
      .min(1)
      .max(2_000)
      .refine((text) => text.trim() !== '' && isStorable(text), {
        error: 'must not be blank, and must be well-formed Unicode text without NUL',
      }),
    findings: z.array(finding),
    checks: z.array(failedCheck),
  }),
)
const proposal = z.strictObject({
  elements: z
    .array(z.object(outlineElement.shape))
    .refine((elements) => isStorable(textIn(elements)), {
      error: 'must be well-formed Unicode text without NUL',
    }),
  parents: z.array(z.string()).min(1),
})
const stop = z.nullable(plainLine(500))

/** All keys and texts of a value, one after the other. */
function textIn(value: unknown): string {
  if (typeof value === 'string') return value
  if (typeof value !== 'object' || value === null) return ''
  return Object.entries(value)
    .map(([key, inner]) => key + textIn(inner))
    .join('')
}

/**
 * The strategies of a plugin by name, as guarded refinement calls them. What they answer is held against
 * what they were asked; each rejects with PLUGIN_FAILED.
 */
export function pluginStrategies(thread: PluginThread): Strategies {
  const { name: plugin, variants, merges, terminations } = thread.manifest
  const ask = <S extends z.ZodType>(
    hook: 'variants' | 'merges' | 'terminations',
    index: number,
    method: string,
    answer: S,
    question: unknown,
    signal: AbortSignal,
  ): Promise<z.output<S>> =>
    thread.call({ hook, index, method }, [question], { answer, timeoutMs: strategyMs, signal })
  const wrong = (hook: string, reason: string) =>
    new AlmanacError('PLUGIN_FAILED', { plugin, hook, reason })
  return {
    variants: named(variants, (name, i) => async (question, signal) => {
      const briefs = await ask('variants', i, 'briefs', drafts, question, signal)
      const found = new Set(question.findings.map((one) => canonicalJson(one)))
      const failed = new Set(
        question.evaluation.metrics.flatMap(({ name: metric, reasons }) =>
          reasons.map((reason) => canonicalJson({ metric, reason })),
        ),
      )
      const bad = (reason: string) => wrong(`variant strategy ${name}`, reason)
      if (briefs.length > question.count)
        throw bad(`it gave ${briefs.length} briefs, ${question.count} were asked for`)
      for (const { findings, checks } of briefs) {
        if (findings.length + checks.length === 0) throw bad('a brief names nothing to close')
        const strange =
          findings.some((one) => !found.has(canonicalJson(one))) ||
          checks.some((one) => !failed.has(canonicalJson(one)))
        if (strange) throw bad('a brief names a finding or check that the document does not have')
      }
      return [...new Map(briefs.map((brief) => [canonicalJson(brief), brief])).values()]
    }),
    merges: named(merges, (name, i) => async (question, signal) => {
      const proposed = await ask('merges', i, 'merge', proposal, question, signal)
      const { parents } = proposed
      const known = question.variants.map(({ id }) => id)
      const isSound = parents.every((id, n) => known.includes(id) && parents.indexOf(id) === n)
      if (!isSound)
        throw wrong(`merge strategy ${name}`, 'its parents are not versions that it was given')
      return proposed
    }),
    terminations: named(
      terminations,
      (_, i) => (question, signal) => ask('terminations', i, 'stops', stop, question, signal),
    ),
  }
}

const named = <T>(
  hooks: readonly { name: string }[],
  make: (name: string, index: number) => T,
): Record<string, T> => Object.fromEntries(hooks.map(({ name }, i) => [name, make(name, i)]))
