import { z } from 'zod'
import { runId } from './ids.ts'
import { outlineLevels } from './outline.ts'

/** Whether a document was compared with that of the period before, or why not. */
export const comparisons = [
  'compared',
  /** There is no earlier document. */
  'first',
  /** Documents made on demand follow no other. */
  'on_demand',
  /** The earlier document was erased, or has a form that is not read any more. */
  'unreadable',
] as const

/**
 * How alike two documents are in what they say, 0 to 1: by the vectors of an embedding model, or by the
 * words they share. Numbers of two methods, or of two models, do not compare.
 */
export const likeness = z.strictObject({
  value: z.number().min(0).max(1),
  method: z.enum(['embedding', 'tfidf']),
  /** The embedding model; null where words were compared. */
  model: z.nullable(z.string()),
  /** Why words were compared though an embedding model is set up; null where there is nothing to say. */
  note: z.nullable(z.string()),
})
export type Likeness = z.output<typeof likeness>

const level = z.enum(outlineLevels)
const value = z.record(z.string(), z.json())

/**
 * What is new in a document, what has changed, and what is gone, against the document of the period
 * before. Elements are those of the document's outline; a path is a JSON pointer into its content.
 */
export const changeReport = z
  .strictObject({
    comparison: z.enum(comparisons),
    /** The document of the period before; null where there is none. */
    against: z.nullable(
      z.strictObject({
        runId,
        periodKey: z.nullable(z.string()),
        /** Hash of its JSON artifact. */
        sha256: z.string(),
        /** Whether it rests on invented sample data. */
        sample: z.boolean(),
      }),
    ),
    /** How alike the two documents are; null where nothing was compared. */
    likeness: z.nullable(likeness),
    new: z.array(z.strictObject({ level, id: z.string(), path: z.string() })),
    changed: z.array(
      z.strictObject({
        level,
        id: z.string(),
        /** Its id in the earlier document. */
        earlierId: z.string(),
        path: z.string(),
        /** The fields that differ. */
        fields: z.array(z.string()),
        /** What it said. */
        before: value,
      }),
    ),
    /** Elements of the earlier document, with the element that each stood in. */
    gone: z.array(
      z.strictObject({
        level,
        id: z.string(),
        parentId: z.nullable(z.string()),
        before: value,
      }),
    ),
  })
  .meta({ id: 'ChangeReport' })
export type ChangeReport = z.output<typeof changeReport>

/** Whether a document was compared and says what the one before it said. */
export const isUnchanged = (report: ChangeReport): boolean =>
  report.comparison === 'compared' &&
  report.new.length + report.changed.length + report.gone.length === 0
