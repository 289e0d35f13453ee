import { failedCheck, finding } from '@almanac/domain'
import type {
  MergeInput,
  MergeHook,
  TerminationInput,
  VariantDraft,
  VariantInput,
} from '@almanac/plugin-api'
import { z } from 'zod'
import { outlineElement } from './plugin-kinds.ts'
import type { PluginThread } from './plugin-thread.ts'

/** The strategies of plugins by name, as guarded refinement calls them; each throws PLUGIN_FAILED. */
export interface PluginStrategies {
  variants: Record<string, (input: VariantInput) => VariantDraft[]>
  merges: Record<string, (input: MergeInput) => Awaited<ReturnType<MergeHook['merge']>>>
  terminations: Record<string, (input: TerminationInput) => string | null>
}

const drafts = z.array(
  z.strictObject({
    task: z.string().min(1).max(2_000),
    findings: z.array(finding),
    checks: z.array(failedCheck),
  }),
)
const proposal = z.strictObject({
  elements: z.array(z.object(outlineElement.shape)),
  parents: z.array(z.string()).min(1),
})
const stop = z.nullable(z.string().min(1).max(500))

export function pluginStrategies(thread: PluginThread): PluginStrategies {
  const { variants, merges, terminations } = thread.manifest
  const now =
    <S extends z.ZodType>(
      schema: S,
      hook: 'variants' | 'merges' | 'terminations',
      index: number,
      method: string,
    ) =>
    (input: unknown): z.output<S> =>
      thread.callNow({ hook, index, method }, [input], schema)
  return {
    variants: Object.fromEntries(
      variants.map(({ name }, i) => [name, now(drafts, 'variants', i, 'briefs')]),
    ),
    merges: Object.fromEntries(
      merges.map(({ name }, i) => [name, now(proposal, 'merges', i, 'merge')]),
    ),
    terminations: Object.fromEntries(
      terminations.map(({ name }, i) => [name, now(stop, 'terminations', i, 'stops')]),
    ),
  }
}
