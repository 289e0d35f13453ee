import { z } from 'zod'

/** A key of a deliverable, region or link: lower-case words joined by hyphens. */
export const catalogueKey = z
  .string()
  .regex(/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/, 'must be lower-case words joined by hyphens')
  .max(48)

/**
 * What makes an evidence item belong to a catalogue entry. `terms`, `titleTerms`, `titleHints`,
 * `codes` and `attributes` are alternatives: where any of them is stated, one must hold. `requires`,
 * `present` and `excludes` must all hold besides. An entry without any condition matches nothing by
 * itself. `attributes` and `requires` may name `withdrawn`, which is `true` or `false` for every item.
 */
export const lexicon = z.strictObject({
  /** One of these whole-word phrases stands in the title or text (case and accents folded). */
  terms: z.array(z.string().min(1)).optional(),
  /** Phrases that are searched in the title only, like `terms`, and count as one of them. */
  titleTerms: z.array(z.string().min(1)).optional(),
  /**
   * Like `titleTerms`, for words that in running text name nothing, such as `correction`: a report
   * that uses one has not spoken of this entry.
   */
  titleHints: z.array(z.string().min(1)).optional(),
  /** Capitals as they follow a comma in an address, such as `AK` in `Emmonak, AK`; here case counts. */
  codes: z.array(z.string().regex(/^[A-Z]{2,3}$/, 'must be two or three capitals')).optional(),
  /** A phrase inside one of these longer ones does not count: `West Virginia` for `Virginia`. */
  notWithin: z.array(z.string().min(1)).optional(),
  /** An attribute has one of these values (exactly); alternatives to `terms`: either suffices. */
  attributes: z.record(z.string(), z.array(z.string())).optional(),
  /** Each named attribute must have one of its values (exactly), whatever the terms say. */
  requires: z.record(z.string(), z.array(z.string())).optional(),
  /** Each named attribute must be there and not empty. */
  present: z.array(z.string()).optional(),
  /** None of these phrases may stand in the title. */
  excludes: z.array(z.string().min(1)).optional(),
})
export type Lexicon = z.output<typeof lexicon>

export const catalogueEntry = z.strictObject({
  key: catalogueKey,
  label: z.string().min(1).max(80),
  description: z.string().max(400).optional(),
  /** The entry that an item gets when no other of its axis matches; at most one an axis. */
  fallback: z.boolean().optional(),
  /** A broader entry of the same axis, which also gets whatever this one matches: `apac` for `china`. */
  within: catalogueKey.optional(),
  lexicon,
})
export type CatalogueEntry = z.output<typeof catalogueEntry>

/** The three axes that evidence is matched on. */
export const axes = ['deliverables', 'regions', 'links'] as const
export type Axis = (typeof axes)[number]

export const instruction = z.strictObject({
  id: z.string(),
  version: z.string(),
  text: z.string().min(1),
})
export type Instruction = z.output<typeof instruction>

/** An industry: what can be bought, how evidence is recognised, and what the model is told. */
export const industry = z.strictObject({
  id: catalogueKey,
  version: z.string().regex(/^\d+\.\d+\.\d+$/, 'must be a version such as 1.0.0'),
  title: z.string(),
  /** How far a rolling window looks back, in days. */
  lookBackDays: z.int().min(1).max(366),
  instruction,
  deliverables: z.array(catalogueEntry).min(1),
  regions: z.array(catalogueEntry).min(1),
  links: z.array(catalogueEntry).min(1),
})
export type Industry = z.output<typeof industry>

/** What a run is about: keys of one industry's catalogue, in the specification's order. */
export const scope = z.strictObject({
  deliverables: z.array(catalogueKey).min(1),
  regions: z.array(catalogueKey).min(1),
  links: z.array(catalogueKey).min(1),
})
export type Scope = z.output<typeof scope>
