import { z } from 'zod'

export const itemKinds = ['fact', 'interpretation', 'implication'] as const
export type ItemKind = (typeof itemKinds)[number]

/** The version of the shape below; a stored report names the one it was written in. */
export const reportSchemaVersion = 1

const evidenceIds = z.array(z.string())

/** What an engine answers for one item; region and link are keys of the run's scope. */
const reportDraftItem = z.strictObject({
  kind: z.enum(itemKinds),
  region: z.string(),
  link: z.string(),
  text: z.string(),
  /** Ids of the package's evidence that the item rests on. */
  evidence: evidenceIds,
})

const summaryLine = z.strictObject({ text: z.string(), evidence: evidenceIds })

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

const statement = z.string().min(1)

/** The stored content of a report: the draft, each item with an id made from what it says and cites. */
export const reportContent = z.strictObject({
  kind: z.literal('report'),
  schemaVersion: z.literal(reportSchemaVersion),
  summary: z.array(summaryLine.extend({ text: statement })),
  sections: z.array(
    z.strictObject({
      deliverable: z.string(),
      quiet: z.boolean(),
      items: z.array(
        reportDraftItem.extend({ text: statement, id: z.string().regex(/^i[0-9a-f]{12}$/) }),
      ),
    }),
  ),
})
export type ReportContent = z.output<typeof reportContent>
export type ReportSection = ReportContent['sections'][number]
export type ReportItem = ReportSection['items'][number]
