import { z } from 'zod'

export const itemKinds = ['fact', 'interpretation', 'implication'] as const
export type ItemKind = (typeof itemKinds)[number]

/** What an engine answers for one item; region and link are keys of the run's scope. */
export const reportDraftItem = z.strictObject({
  kind: z.enum(itemKinds),
  region: z.string(),
  link: z.string(),
  text: z.string(),
  /** Ids of the package's evidence that the item rests on. */
  evidence: z.array(z.string()),
})

export const summaryLine = z.strictObject({ text: z.string(), evidence: z.array(z.string()) })

/** What an engine answers for a report: no ids, no dates, no markup. */
export const reportDraft = z.strictObject({
  summary: z.array(summaryLine),
  sections: z.array(
    z.strictObject({
      deliverable: z.string(),
      quiet: z.boolean(),
      items: z.array(reportDraftItem),
    }),
  ),
})
export type ReportDraft = z.output<typeof reportDraft>

/** The stored content of a report: the draft, each item with an id made from what it says and cites. */
export const reportContent = z.strictObject({
  kind: z.literal('report'),
  schemaVersion: z.literal(1),
  summary: z.array(summaryLine),
  sections: z.array(
    z.strictObject({
      deliverable: z.string(),
      quiet: z.boolean(),
      items: z.array(reportDraftItem.extend({ id: z.string() })),
    }),
  ),
})
export type ReportContent = z.output<typeof reportContent>
export type ReportItem = ReportContent['sections'][number]['items'][number]
