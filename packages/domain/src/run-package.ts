import { z } from 'zod'
import { canonicalJson } from './canonical-json.ts'
import { catalogueEntry, instruction, scope } from './catalogue.ts'
import { cadence } from './cadence/cadence.ts'
import { documentKindName } from './document.ts'
import { omissionReasons, packageEvidence } from './evidence.ts'
import { runId, specificationId } from './ids.ts'
import { moduleDefinition } from './module.ts'
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
  /** Of workflows: the registered modules that the specification names, whole, in its order. */
  modules: z.array(moduleDefinition).exactOptional(),
  evidence: z.array(packageEvidence),
  evidenceConsidered: z.int().min(0),
  evidenceIncluded: z.int().min(0),
  evidenceOmitted: z.array(z.strictObject({ reason: z.enum(omissionReasons), count: z.int() })),
  /** Items of earlier windows that arrived after the previous success; shown, not used. */
  evidenceLate: z.int().min(0),
  output: z.strictObject({
    kind: documentKindName,
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

const texts = new WeakMap<object, string>()

/**
 * The canonical JSON of a package, by which it is stored and hashed. Its parts are written once each:
 * packages never change, and those of one specification share most of what they hold.
 */
export function packageText(runPackage: RunPackage): string {
  return remembered(runPackage, () => {
    const parts = Object.entries(runPackage)
      .filter(([, part]) => part !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, part]) => `${JSON.stringify(name)}:${partText(part)}`)
    return `{${parts.join(',')}}`
  })
}

const partText = (part: unknown): string =>
  typeof part === 'object' && part !== null
    ? remembered(part, () => canonicalJson(part))
    : canonicalJson(part)

function remembered(value: object, write: () => string): string {
  let text = texts.get(value)
  if (text === undefined) texts.set(value, (text = write()))
  return text
}
