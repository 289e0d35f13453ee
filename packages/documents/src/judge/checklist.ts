import { catalogueKey, plainLine } from '@almanac/domain'
import { z } from 'zod'

/** A question about a document that is answered with yes or no; yes is what the specification wants. */
export const judgedCheck = z.strictObject({
  id: catalogueKey,
  question: plainLine(300),
})
export type JudgedCheck = z.output<typeof judgedCheck>

/** The checks of one metric. */
export const judgedChecks = z
  .array(judgedCheck)
  .min(1)
  .max(20)
  .refine((checks) => new Set(checks.map(({ id }) => id)).size === checks.length, {
    error: 'must not use an id twice',
  })
