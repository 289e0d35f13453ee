import { z } from 'zod'
import { catalogueKey } from './catalogue.ts'
import { finding, metric } from './document.ts'

export const variantStrategies = [
  'coverage-gaps',
  'brevity',
  'evidence-depth',
  'restructure',
] as const
export type VariantStrategy = (typeof variantStrategies)[number]

/** A failed check: a metric that is not 1, and one of its reasons. */
export const failedCheck = z.strictObject({ metric: metric.shape.name, reason: z.string() })
export type FailedCheck = z.output<typeof failedCheck>

/** What a variant has to improve: the findings and failed checks that it must close, and nothing else. */
export const variantBrief = z.strictObject({
  /** One of Almanac's own strategies, or the name of a plugin's. */
  strategy: catalogueKey,
  /** The strategy in one sentence. */
  task: z.string(),
  /** In the document that the variant starts from; paths point into it. */
  findings: z.array(finding),
  checks: z.array(failedCheck),
})
export type VariantBrief = z.output<typeof variantBrief>
