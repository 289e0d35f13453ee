import { z } from 'zod'
import { catalogueEntry, instruction, scope } from './catalogue.ts'
import { cadence } from './cadence/cadence.ts'
import { omissionReasons, packageEvidence } from './evidence.ts'
import { runId, specificationId } from './ids.ts'
import { specification } from './specification.ts'

/**
 * Everything that a run may know: stored once, hashed, and the only input of the engine.
 * Nothing is looked up after it is stored.
 */
export const runPackage = z.strictObject({
  packageVersion: z.literal(1),
  /** For the document's head. Ids of tenant and run are not here: equal work gives equal packages. */
  tenantName: z.string(),
  instruction,
  specification: z.strictObject({
    id: specificationId,
    revision: z.int().min(1),
    hash: z.string(),
    body: specification,
  }),
  /** The specification's scope, or the part of it that this run was narrowed to. */
  scope: z.nullable(scope),
  narrowed: z.boolean(),
  cadence: z.strictObject({
    kind: cadence,
    periodKey: z.nullable(z.string()),
    ordinal: z.int().min(0),
    /** The data window [from, to), UTC instants. */
    from: z.string(),
    to: z.string(),
    timeZone: z.string(),
  }),
  /** Earlier periods' successes, newest first: ids and instants only. */
  history: z.array(
    z.strictObject({ runId, periodKey: z.nullable(z.string()), finishedAt: z.string() }),
  ),
  previousArtifactHash: z.string().optional(),
  /** Labels and lexicon of the scope; null for kinds without evidence. */
  catalogue: z.nullable(
    z.strictObject({
      industry: z.string(),
      version: z.string(),
      /** Hash of the whole industry, by which the rest of the catalogue is found. */
      hash: z.string(),
      deliverables: z.array(catalogueEntry),
      regions: z.array(catalogueEntry),
      links: z.array(catalogueEntry),
    }),
  ),
  evidence: z.array(packageEvidence),
  evidenceConsidered: z.int().min(0),
  evidenceIncluded: z.int().min(0),
  evidenceOmitted: z.array(z.strictObject({ reason: z.enum(omissionReasons), count: z.int() })),
  /** Items of earlier windows that arrived after the previous success; shown, not used. */
  evidenceLate: z.int().min(0),
  output: z.strictObject({
    kind: z.enum(['report', 'workflow']),
    schemaVersion: z.int(),
    jsonSchema: z.record(z.string(), z.json()),
  }),
  limits: z.strictObject({
    maxPackageTokens: z.int(),
    maxOutputTokens: z.int(),
    maxItemsPerSection: z.int(),
    maxSummaryLines: z.int(),
    repairs: z.int(),
    runMicroUsd: z.int(),
    runTokens: z.int(),
  }),
})
export type RunPackage = z.output<typeof runPackage>
