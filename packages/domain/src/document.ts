import { z } from 'zod'

/** Version of the vocabulary in docs/terminology.md that documents are written in. */
export const terminologyVersion = '1.0.0'

export const documentKinds = ['report', 'workflow'] as const
export type DocumentKindName = (typeof documentKinds)[number]

export const findingCodes = [
  'SCHEMA_INVALID',
  'UNKNOWN_CITATION',
  'MISSING_CITATION',
  'OUT_OF_SCOPE_KEY',
  'OUT_OF_SCOPE_TEXT',
  'UNMATCHED_CELL',
  'UNGROUNDED',
  'UNJUSTIFIED_QUIET',
  'MISSING_SECTION',
  'DUPLICATE_ITEM',
  'TOO_LONG',
  'UNSAFE_TEXT',
  'UNKNOWN_REFERENCE',
  'DEPENDENCY_CYCLE',
] as const
export type FindingCode = (typeof findingCodes)[number]

/** What a validator found; an `error` makes the document invalid, a `warning` lowers its score. */
export const finding = z.strictObject({
  code: z.enum(findingCodes),
  severity: z.enum(['error', 'warning']),
  /** Where: a JSON pointer into the document. */
  path: z.string(),
  message: z.string(),
  expected: z.string().optional(),
  found: z.string().optional(),
})
export type Finding = z.output<typeof finding>

/** One measured property of a document, 0 to 1, with what lowered it. */
export const metric = z.strictObject({
  name: z.string(),
  value: z.number().min(0).max(1),
  weight: z.number().min(0).max(1),
  reasons: z.array(z.string()),
})
export type Metric = z.output<typeof metric>

/** The conformance score: the weighted mean of the metrics, whose weights sum to 1. */
export const evaluation = z.strictObject({
  score: z.number().min(0).max(1),
  metrics: z.array(metric),
})
export type Evaluation = z.output<typeof evaluation>

/** What every artifact says of itself, in every format. */
export const documentMetadata = z.strictObject({
  classification: z.literal('non_operational_output'),
  notice: z.string(),
  kind: z.enum(documentKinds),
  title: z.string(),
  documentId: z.string(),
  version: z.string(),
  runId: z.string(),
  specificationId: z.string(),
  specificationRevision: z.int(),
  tenantName: z.string(),
  periodKey: z.nullable(z.string()),
  from: z.string(),
  to: z.string(),
  timeZone: z.string(),
  /** The start of the period: the only date in a document, so that equal input gives equal bytes. */
  created: z.string(),
  test: z.boolean(),
  narrowed: z.boolean(),
  engine: z.strictObject({ name: z.string(), model: z.string() }),
  packageHash: z.string(),
  contentHash: z.string(),
  score: z.number(),
  terminologyVersion: z.string(),
})
export type DocumentMetadata = z.output<typeof documentMetadata>

export const artifactFormats = ['json', 'markdown', 'html'] as const
export type ArtifactFormat = (typeof artifactFormats)[number]

export const mediaTypes = {
  json: 'application/json',
  markdown: 'text/markdown; charset=utf-8',
  html: 'text/html; charset=utf-8',
} as const satisfies Record<ArtifactFormat, string>
