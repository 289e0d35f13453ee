import { z } from 'zod'

/** Where an evidence item's link may lead; anything else is refused at the border. */
export const httpUrl = z
  .url({ protocol: /^https?$/, error: 'must be an http or https address' })
  .max(2_000)

/** A key–value fact of an item as its source gave it, such as `agency: FAA`. */
export const attributes = z.record(
  z.string().regex(/^[A-Za-z][A-Za-z0-9_]{0,47}$/),
  z.string().max(2_000),
)

/** One item of evidence as a source delivered it, after its field mapping. */
export const evidenceItem = z.strictObject({
  /** The item's id in its source. */
  itemId: z.string().min(1).max(200),
  /** The instant of publication, ISO 8601 in UTC. */
  publishedAt: z.iso.datetime({ offset: true }),
  title: z.string().min(1).max(2_000),
  text: z.string().max(100_000).default(''),
  url: httpUrl.optional(),
  attributes: attributes.default({}),
  /** True when the publisher took the item back. */
  withdrawn: z.boolean().default(false),
})
export type EvidenceItem = z.output<typeof evidenceItem>

/** Which cell of the catalogue an item belongs to. */
export const evidenceMatch = z.strictObject({
  deliverable: z.string(),
  region: z.string(),
  link: z.string(),
})
export type EvidenceMatch = z.output<typeof evidenceMatch>

/** An item as it stands in a run package. `id` is `<source name>/<item id>`. */
export const packageEvidence = z.strictObject({
  id: z.string(),
  revision: z.int().min(1),
  hash: z.string(),
  source: z.string(),
  publishedAt: z.string(),
  title: z.string(),
  text: z.string(),
  url: z.string().optional(),
  attributes: z.record(z.string(), z.string()),
  withdrawn: z.boolean(),
  /** Every cell inside the run's scope that the item matches; never empty. */
  matches: z.array(evidenceMatch).min(1),
})
export type PackageEvidence = z.output<typeof packageEvidence>

/** Why an item of the window is not in the package. */
export const omissionReasons = ['out_of_scope', 'token_limit', 'withdrawn'] as const
export type OmissionReason = (typeof omissionReasons)[number]
