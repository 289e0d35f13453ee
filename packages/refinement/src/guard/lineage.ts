import {
  checkpointDecisions,
  generationKinds,
  runId,
  stopReasons,
  versionId,
} from '@almanac/domain'
import { z } from 'zod'

const count = z.int().min(0)

/** Money in micro-USD, and tokens. */
export const amount = z.strictObject({ microUsd: count, tokens: count })
export type Amount = z.output<typeof amount>

/** The best version after a generation; the first entry of a lineage is the draft. */
export const bestVersion = z.strictObject({
  id: versionId,
  score: z.number().min(0).max(1),
  /** The generation that made it; 0 for the draft. */
  depth: count,
})

/**
 * What is stored of a root, as the guard judges it: parent and depth come from here, never from a
 * caller. Instants are ISO 8601 in UTC.
 */
export const lineage = z
  .strictObject({
    rootId: runId,
    /** The version that the next generation grows from. */
    parentId: versionId,
    /** Generations so far. */
    depth: count,
    childrenGenerated: count,
    spent: amount,
    /** What is set aside for calls that are not settled yet. */
    held: amount,
    /** The best version at the start and after each generation that was merged. */
    bests: z.array(bestVersion).min(1).max(101),
    /** What came of the last generation; null before the first. */
    last: z.nullable(
      z.strictObject({
        kind: z.enum(generationKinds),
        done: count,
        merge: z.enum(['accepted', 'rejected', 'none']),
      }),
    ),
    /** Whether a generation has not been merged yet. */
    generationOpen: z.boolean(),
    ended: z.nullable(z.enum(stopReasons)),
    /** The newest checkpoint of the next generation. */
    checkpoint: z.nullable(
      z.strictObject({
        id: z.string(),
        decision: z.nullable(z.enum(checkpointDecisions)),
        limitsHash: z.string(),
        snapshotHash: z.string(),
        used: z.boolean(),
      }),
    ),
    deadlineAt: z.nullable(z.iso.datetime()),
    now: z.iso.datetime(),
  })
  .refine(({ bests, depth, generationOpen }) => bests.length === depth + (generationOpen ? 0 : 1), {
    error: 'must have one best version more than merged generations',
    path: ['bests'],
  })
export type Lineage = z.output<typeof lineage>
