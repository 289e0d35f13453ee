import { z } from 'zod'
import { changeReport } from '../changes.ts'
import { evaluation } from '../document.ts'
import { runId, versionId } from '../ids.ts'
import { outlineLevels } from '../outline.ts'
import { defineRoute } from './route.ts'
import { versionResource } from './runs.ts'

/** A version, what it is worth, and where it stands among the versions of its document. */
export const versionDetail = versionResource
  .extend({
    evaluation,
    /** The version that it grew from, or that an earlier run of the document ended with. */
    previousId: z.nullable(versionId),
    /** What it was made of, newest first. */
    ancestorIds: z.array(versionId),
    /** What was made of it, oldest first. */
    descendantIds: z.array(versionId),
    /** The document's best version by effective score; null when none of them holds any more. */
    bestKnown: z.nullable(z.strictObject({ id: versionId, effectiveScore: z.number() })),
  })
  .meta({ id: 'VersionDetail' })
export type VersionDetail = z.output<typeof versionDetail>

const place = z.strictObject({ parentId: z.nullable(z.string()), place: z.int() })
const value = z.record(z.string(), z.json())

/** One thing that happened to one element between two versions. */
export const versionChange = z
  .strictObject({
    type: z.enum(['added', 'removed', 'changed', 'moved']),
    level: z.enum(outlineLevels),
    id: z.string(),
    /** Its id in the newer version, where that is another one. */
    newId: z.string().exactOptional(),
    parentId: z.nullable(z.string()),
    before: value.exactOptional(),
    after: value.exactOptional(),
    /** The fields that differ, of a changed element. */
    fields: z.array(z.string()).exactOptional(),
    from: place.exactOptional(),
    to: place.exactOptional(),
  })
  .meta({ id: 'VersionChange' })

const count = z.int().min(0)

export const versionDiff = z
  .strictObject({
    from: versionResource,
    to: versionResource,
    counts: z.strictObject({ added: count, removed: count, changed: count, moved: count }),
    /** The score of `to` less that of `from`, and the metrics that differ. */
    scoreDelta: z.number(),
    metrics: z.array(z.strictObject({ name: z.string(), before: z.number(), after: z.number() })),
    changes: z.array(versionChange),
  })
  .meta({ id: 'VersionDiff' })
export type VersionDiff = z.output<typeof versionDiff>

/** In which form a comparison is answered. */
export const diffFormats = ['json', 'text', 'html'] as const
export type DiffFormat = (typeof diffFormats)[number]

export const versionRoutes = {
  getVersion: defineRoute({
    method: 'get',
    path: '/v1/versions/:id',
    tag: 'Versions',
    summary: 'One version of a document, with its metrics and its relatives',
    scope: 'runs:read',
    params: z.strictObject({ id: versionId }),
    response: versionDetail,
    errors: ['NOT_FOUND'],
  }),
  diffVersions: defineRoute({
    method: 'get',
    path: '/v1/versions/:id/diff/:other',
    tag: 'Versions',
    summary: 'What turns one version into another: added, removed, changed and moved elements',
    description:
      'JSON, or the same for people as `text/plain` or `text/html`, by Accept or by `format`, which comes first. The page is sent under a policy that lets nothing in it run.',
    scope: 'artifacts:read',
    params: z.strictObject({ id: versionId, other: versionId }),
    query: z.strictObject({ format: z.enum(diffFormats).optional() }),
    gives: 'negotiated',
    response: versionDiff,
    errors: ['INPUT_INVALID', 'NOT_FOUND', 'CONTENT_ERASED', 'CONTENT_TAMPERED'],
  }),
  getRunChanges: defineRoute({
    method: 'get',
    path: '/v1/runs/:id/changes',
    tag: 'Runs',
    summary: 'What is new in a run’s document against that of the period before',
    scope: 'artifacts:read',
    params: z.strictObject({ id: runId }),
    response: changeReport,
    errors: ['NOT_FOUND', 'CONTENT_ERASED', 'CONTENT_TAMPERED'],
  }),
} as const
