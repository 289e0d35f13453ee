import {
  artifactId,
  cadence,
  deliveryId,
  documentId,
  evaluation,
  finding,
  formatName,
  runId,
  scope,
  specificationId,
  versionId,
} from '@almanac/domain'
import { z } from 'zod'

/** What each stage gives to those after it. Contents are named by hash, never carried. */

export const retrieved = z.strictObject({
  specificationId,
  revision: z.int(),
  hash: z.string(),
  kind: z.enum(['report', 'workflow']),
  scope: z.nullable(scope),
  narrowed: z.boolean(),
})

export const claimed = z.strictObject({
  kind: cadence,
  periodKey: z.nullable(z.string()),
  ordinal: z.int(),
  from: z.string(),
  to: z.string(),
  timeZone: z.string(),
})

export const assembled = z.strictObject({
  packageHash: z.string(),
  tokens: z.int(),
  evidenceIncluded: z.int(),
  evidenceConsidered: z.int(),
})

export const executed = z.strictObject({
  contentHash: z.string(),
  engine: z.strictObject({ name: z.string(), model: z.string() }),
  calls: z.int(),
  costMicroUsd: z.int(),
  /** Calls that an earlier run's answer served. */
  reused: z.array(z.strictObject({ callKey: z.string(), fromRunId: runId })),
})

export const validated = z.strictObject({ findings: z.array(finding) })

export const refined = z.strictObject({
  contentHash: z.string(),
  versionLabel: z.string(),
  /** Why the refinement ended; `disabled` when the specification does not refine. */
  stopReason: z.string(),
  /** The stored version that goes on, and the run whose version it is; null where none is stored yet. */
  version: z.nullable(z.strictObject({ id: versionId, runId })).default(null),
  /** What went wrong where a refinement ended by an error; the run goes on all the same. */
  problem: z.nullable(z.string()).default(null),
})

export const evaluated = evaluation

export const exported = z.strictObject({
  documentId,
  artifacts: z.array(z.strictObject({ format: formatName, sha256: z.string(), bytes: z.int() })),
  /** The run whose document says the same; null when something is new, changed or gone. */
  unchangedSince: z.nullable(runId).default(null),
})

export const persisted = z.strictObject({
  documentId,
  version: z.strictObject({
    id: versionId,
    label: z.string(),
    contentHash: z.string(),
    packageHash: z.string(),
    score: z.number(),
    evaluation: z.string(),
  }),
  artifacts: z.array(
    z.strictObject({
      id: artifactId,
      format: formatName,
      sha256: z.string(),
      bytes: z.int(),
      engine: z.string(),
      model: z.string(),
    }),
  ),
  deliveries: z.array(z.strictObject({ id: deliveryId, deliverer: z.string() })),
  /** Why there are no deliveries: the document says what that of this run says. */
  unchangedSince: z.nullable(runId).default(null),
})

export const delivered = z.null()
