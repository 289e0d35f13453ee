import { z } from 'zod'
import { runId, specificationId } from '../ids.ts'
import { pageOf, pageQuery } from './pages.ts'
import { defineRoute } from './route.ts'

/** What usage can be summed up by. Days and months are UTC, and those of the hold. */
export const usageDimensions = [
  'specification',
  'run',
  'stage',
  'cause',
  'provider',
  'model',
  'day',
  'month',
] as const
export type UsageDimension = (typeof usageDimensions)[number]

const count = z.int().min(0)

/** What calls that were paid for cost; overruns are part of the cost, and stand apart too. */
export const usageSums = z.strictObject({
  /** Sends that were billed, those of failed runs included. */
  calls: count,
  /** Of them those whose answer was lost, charged with all that was held for them. */
  chargedCalls: count,
  /** Of them those whose tokens we counted ourselves, because the provider did not say. */
  estimatedCalls: count,
  costMicroUsd: count,
  /** What calls cost above what was held for them. */
  overrunMicroUsd: count,
  inputTokens: count,
  cachedInputTokens: count,
  outputTokens: count,
  /** What budgets count: input and output; of a charged call, what was held. */
  tokens: count,
})
export type UsageSums = z.output<typeof usageSums>

/** One sum, with the fields that it is grouped by. */
export const usageGroup = usageSums
  .extend({
    specificationId: specificationId.optional(),
    specificationName: z.string().optional(),
    runId: runId.optional(),
    stage: z.string().optional(),
    cause: z.string().optional(),
    provider: z.string().optional(),
    model: z.string().optional(),
    day: z.string().optional(),
    month: z.string().optional(),
  })
  .meta({ id: 'Usage' })
export type UsageGroup = z.output<typeof usageGroup>

const [firstDay, lastDay] = ['2000-01-01', '2999-12-31']
/** A UTC day, `2026-11-21`. */
export const usageDay = z
  .string()
  .refine((text) => z.iso.date().safeParse(text).success && text >= firstDay && text <= lastDay, {
    error: 'must be a day such as 2026-11-21',
  })

const dimensionList = `must be one or several of ${usageDimensions.join(', ')}, separated by commas, each once`
export const usageGroupBy = z.string().transform((text, context) => {
  const names = text.split(',').map((name) => name.trim())
  const found = usageDimensions.filter((dimension) => names.includes(dimension))
  if (found.length === names.length) return names as UsageDimension[]
  context.addIssue({ code: 'custom', message: dimensionList })
  return z.NEVER
})

/** The days of a question about usage. */
export const usageDays = {
  /** The first day; default: the first of the month of `to`. */
  from: usageDay.optional(),
  /** The last day; default: today. */
  to: usageDay.optional(),
}
export const daysInOrder = ({ from, to }: { from?: string | undefined; to?: string | undefined }) =>
  from === undefined || to === undefined || from <= to
export const daysOutOfOrder = { error: 'must not be after `to`', path: ['from'] }

/** Why billed calls brought nothing into a document; each call counts once, under the first that fits. */
export const wasteKinds = ['unknown', 'failed', 'unusable', 'losing', 'repaired'] as const
export type WasteKind = (typeof wasteKinds)[number]

/** The kinds of waste for people. */
export const wasteSays: Record<WasteKind, string> = {
  unknown: 'answers that were lost, charged in full',
  failed: 'runs that ended without a document',
  unusable: 'answers that were cut off, refused or filtered',
  losing: 'variants that nothing was taken from',
  repaired: 'drafts that had to be repaired',
}

const share = z.number().min(0).max(1)
const wasteSum = { kind: z.enum(wasteKinds), calls: count, costMicroUsd: count, share }

export const wasteReport = z
  .strictObject({
    from: usageDay,
    to: usageDay,
    total: z.strictObject({ calls: count, costMicroUsd: count }),
    /** Every kind once, with its share of all cost. */
    kinds: z.array(z.strictObject(wasteSum)),
    /** By specification, the most expensive first, at most 500; the share is that of its own cost. */
    specifications: z.array(
      z.strictObject({ specificationId, specificationName: z.string(), ...wasteSum }),
    ),
  })
  .meta({ id: 'Waste' })
export type WasteReport = z.output<typeof wasteReport>

const tag = 'Usage'

export const usageRoutes = {
  getUsage: defineRoute({
    method: 'get',
    path: '/v1/usage',
    tag,
    summary: 'What calls cost, summed up by what is asked; JSON, or CSV with all groups',
    description:
      'The settled calls, those of failed runs included; `from` and `to` are UTC days, both included. A call counts on the day of its hold, however late it is settled, so that the sums are those of the budgets. `total` is of all groups, not of the page. CSV (`format=csv` or `Accept: text/csv`) has all groups at once, at most 100,000.',
    scope: 'runs:read',
    query: z
      .strictObject({
        ...pageQuery,
        /** Holds the fields that are grouped by, and may be long. */
        cursor: z.string().max(2_000).optional(),
        ...usageDays,
        groupBy: usageGroupBy.prefault('specification'),
        specificationId: specificationId.optional(),
        format: z.enum(['json', 'csv']).optional(),
      })
      .refine(daysInOrder, daysOutOfOrder),
    gives: 'csv',
    response: pageOf(usageGroup).extend({ from: usageDay, to: usageDay, total: usageSums }),
    errors: ['INPUT_INVALID'],
  }),
  getWaste: defineRoute({
    method: 'get',
    path: '/v1/usage/waste',
    tag,
    summary: 'What was paid for and brought nothing into a document, by kind and specification',
    scope: 'runs:read',
    query: z.strictObject(usageDays).refine(daysInOrder, daysOutOfOrder),
    response: wasteReport,
  }),
} as const
