import { z } from 'zod'

/** Version of the vocabulary in docs/terminology.md that documents are written in. */
export const terminologyVersion = '1.0.0'

/** The name of a kind of document that a plugin brings. */
export const pluginKindName = z
  .templateLiteral(['x-', z.string()])
  .check(z.regex(/^x-[a-z0-9]+(-[a-z0-9]+)*$/, 'must be x- and lower-case words joined by hyphens'))

export const documentKinds = ['report', 'workflow'] as const

/** A kind of document: one of Almanac's own, or one that a plugin brings, whose name begins with `x-`. */
export const documentKindName = z.union([z.enum(documentKinds), pluginKindName])
export type DocumentKindName = z.output<typeof documentKindName>

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
  /** Of kinds with phases: the same of each phase by itself. */
  phases: z
    .array(
      z.strictObject({
        id: z.string(),
        score: z.number().min(0).max(1),
        metrics: z.array(metric),
      }),
    )
    .exactOptional(),
})
export type Evaluation = z.output<typeof evaluation>

/** What every artifact says of itself, in every format. */
export const documentMetadata = z.strictObject({
  classification: z.literal('non_operational_output'),
  notice: z.string(),
  kind: documentKindName,
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

/** The name of a format: one of Almanac's own, or one that a plugin's exporter writes, such as `csv`. */
export const formatName = z
  .string()
  .regex(/^[a-z][a-z0-9]{0,15}$/, 'must be lower-case letters and digits, such as csv')

export const mediaTypes = {
  json: 'application/json',
  markdown: 'text/markdown; charset=utf-8',
  html: 'text/html; charset=utf-8',
} as const satisfies Record<ArtifactFormat, string>

const furtherMediaTypes: Readonly<Record<string, string>> = {
  ...mediaTypes,
  csv: 'text/csv; charset=utf-8',
}

/** How the bytes of a format are served; one that is not known here is plain text, which runs nowhere. */
export const mediaTypeOf = (format: string): string =>
  Object.hasOwn(furtherMediaTypes, format)
    ? (furtherMediaTypes[format] ?? '')
    : 'text/plain; charset=utf-8'

/** The ending of a file that holds a format. */
export const fileEndingOf = (format: string): string => (format === 'markdown' ? 'md' : format)
