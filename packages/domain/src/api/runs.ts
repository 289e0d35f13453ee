import { z } from 'zod'
import { finding, formatName } from '../document.ts'
import { artifactId, documentId, runId, specificationId, versionId } from '../ids.ts'
import { metadata } from '../specification.ts'
import { onConflicts, origin, runRequest, triggers } from '../run.ts'
import { runPackage } from '../run-package.ts'
import { parkReasons, runStates, stageNames } from '../states.ts'
import { flag, instant, pageOf, pageQuery } from './pages.ts'
import { defineRoute } from './route.ts'

export const runResource = z
  .strictObject({
    id: runId,
    specificationId,
    specificationName: z.string(),
    revision: z.int(),
    state: z.enum(runStates),
    stage: z.enum(stageNames),
    trigger: z.enum(triggers),
    test: z.boolean(),
    narrowed: z.boolean(),
    periodKey: z.nullable(z.string()),
    ordinal: z.int(),
    onConflict: z.enum(onConflicts),
    origin: z.nullable(origin),
    metadata,
    externalId: z.nullable(z.string()),
    parked: z.nullable(
      z.strictObject({
        reason: z.enum(Object.keys(parkReasons) as [keyof typeof parkReasons]),
        says: z.string(),
        wakeAt: instant,
      }),
    ),
    /** Why it failed or was blocked: the code, the sentence and the remedy. */
    error: z.nullable(
      z.strictObject({
        code: z.string(),
        title: z.string(),
        detail: z.string(),
        remedy: z.string(),
        retryable: z.boolean(),
      }),
    ),
    documentId: z.nullable(documentId),
    score: z.nullable(z.number()),
    costMicroUsd: z.int(),
    /** What its success was worth later: current, superseded or retracted. */
    standing: z.nullable(z.enum(['current', 'superseded', 'retracted', 'test'])),
    deadlineAt: z.nullable(instant),
    createdAt: instant,
    startedAt: z.nullable(instant),
    finishedAt: z.nullable(instant),
  })
  .meta({ id: 'Run' })
export type RunResource = z.output<typeof runResource>

export const eventResource = z
  .strictObject({
    seq: z.int(),
    type: z.string(),
    data: z.record(z.string(), z.json()),
    at: instant,
  })
  .meta({ id: 'Event' })
export type EventResource = z.output<typeof eventResource>

export const stageResource = z
  .strictObject({
    stage: z.enum(stageNames),
    state: z.enum(['pending', 'done', 'failed']),
    tries: z.array(z.strictObject({ code: z.string(), durationMs: z.int(), at: instant })),
    durationMs: z.nullable(z.int()),
    output: z.nullable(z.json()),
    finishedAt: z.nullable(instant),
  })
  .meta({ id: 'Stage' })

export const callResource = z
  .strictObject({
    callKey: z.string(),
    seq: z.int(),
    state: z.enum(['booked', 'open', 'settled', 'released', 'unknown', 'charged']),
    provider: z.string(),
    model: z.string(),
    outcome: z.nullable(z.string()),
    requestHash: z.string(),
    heldMicroUsd: z.int(),
    costMicroUsd: z.nullable(z.int()),
    inputTokens: z.nullable(z.int()),
    outputTokens: z.nullable(z.int()),
    openedAt: instant,
    closedAt: z.nullable(instant),
  })
  .meta({ id: 'Call' })

export const versionResource = z
  .strictObject({
    id: versionId,
    runId,
    documentId,
    label: z.string(),
    parents: z.array(versionId),
    /** Generations of refinement between it and the first version. */
    depth: z.int(),
    contentHash: z.string(),
    packageHash: z.string(),
    score: z.number(),
    createdAt: instant,
  })
  .meta({ id: 'Version' })
export type VersionResource = z.output<typeof versionResource>

export const artifactResource = z
  .strictObject({
    id: artifactId,
    runId,
    specificationId,
    periodKey: z.nullable(z.string()),
    format: formatName,
    mediaType: z.string(),
    sha256: z.string(),
    bytes: z.int(),
    classification: z.literal('non_operational_output'),
    test: z.boolean(),
    score: z.number(),
    standing: z.enum(['current', 'superseded', 'retracted', 'test']),
    createdAt: instant,
  })
  .meta({ id: 'Artifact' })
export type ArtifactResource = z.output<typeof artifactResource>

const byId = z.strictObject({ id: runId })
const [read, write] = ['runs:read', 'runs:write'] as const
const tag = 'Runs'

export const runRoutes = {
  createRun: defineRoute({
    method: 'post',
    path: '/v1/runs',
    tag,
    summary: 'Run a specification for a period',
    description:
      'Answers 201 with the accepted run; with `Prefer: wait=N` (at most 60 s) the ended run, or 202 when it is not over by then. A run that fails is not an HTTP error: see its `error`.',
    scope: write,
    body: runRequest,
    status: 201,
    response: runResource,
    idempotent: true,
    errors: [
      'INPUT_INVALID',
      'NOT_FOUND',
      'SPEC_NOT_ACTIVE',
      'SCOPE_NOT_ENTITLED',
      'SCOPE_WIDENED',
      'QUOTA_EXHAUSTED',
      'CADENCE_SLOT_TAKEN',
      'CADENCE_IN_PROGRESS',
      'CADENCE_PERIOD_OPEN',
      'CADENCE_PERIOD_INVALID',
      'CADENCE_WINDOW_COVERED',
    ],
  }),
  listRuns: defineRoute({
    method: 'get',
    path: '/v1/runs',
    tag,
    summary: 'List runs, newest first',
    scope: read,
    query: z.strictObject({
      ...pageQuery,
      state: z.enum(runStates).optional(),
      specificationId: specificationId.optional(),
      period: z.string().max(20).optional(),
      externalId: z.string().max(200).optional(),
      test: flag.optional(),
    }),
    response: pageOf(runResource),
  }),
  getRun: defineRoute({
    method: 'get',
    path: '/v1/runs/:id',
    tag,
    summary: 'One run',
    scope: read,
    params: byId,
    response: runResource,
    errors: ['NOT_FOUND'],
  }),
  streamRunEvents: defineRoute({
    method: 'get',
    path: '/v1/runs/:id/events',
    tag,
    summary:
      'The run’s events as a stream (SSE; `Last-Event-ID` = seq), or as a list with Accept: application/json',
    scope: read,
    params: byId,
    query: z.strictObject({ after: z.coerce.number().int().min(0).default(0) }),
    gives: 'sse',
    response: z.strictObject({ data: z.array(eventResource), nextCursor: z.nullable(z.string()) }),
    errors: ['NOT_FOUND'],
  }),
  cancelRun: defineRoute({
    method: 'post',
    path: '/v1/runs/:id/cancel',
    tag,
    summary: 'Cancel: the period is free again',
    scope: write,
    params: byId,
    status: 202,
    response: runResource,
    errors: ['NOT_FOUND', 'STATE_CONFLICT'],
  }),
  retryRun: defineRoute({
    method: 'post',
    path: '/v1/runs/:id/retry',
    tag,
    summary: 'A new run with the same package',
    scope: write,
    params: byId,
    status: 201,
    response: runResource,
    idempotent: true,
    errors: ['NOT_FOUND', 'STATE_CONFLICT', 'CADENCE_SLOT_TAKEN', 'CADENCE_IN_PROGRESS'],
  }),
  rerunRun: defineRoute({
    method: 'post',
    path: '/v1/runs/:id/rerun',
    tag,
    summary: 'A new run from a stage on; what lies before is taken over',
    scope: write,
    params: byId,
    body: z.strictObject({
      fromStage: z.enum(stageNames).default('retrieve'),
      /** After a success: the ordinal of the granted slot that it uses. */
      grant: z.int().min(1).optional(),
    }),
    status: 201,
    response: runResource,
    idempotent: true,
    errors: ['NOT_FOUND', 'STATE_CONFLICT', 'CADENCE_SLOT_TAKEN', 'CADENCE_IN_PROGRESS'],
  }),
  retractRun: defineRoute({
    method: 'post',
    path: '/v1/runs/:id/retract',
    tag,
    summary: 'Mark a succeeded run’s document as wrong; nothing is deleted',
    scope: write,
    params: byId,
    body: z.strictObject({ reason: z.string().min(3).max(500) }),
    response: runResource,
    errors: ['NOT_FOUND', 'STATE_CONFLICT'],
  }),
  getRunPackage: defineRoute({
    method: 'get',
    path: '/v1/runs/:id/package',
    tag,
    summary: 'The run package: everything that the engine was told',
    scope: read,
    params: byId,
    response: runPackage,
    errors: ['NOT_FOUND', 'CONTENT_ERASED', 'CONTENT_TAMPERED'],
  }),
  listRunStages: defineRoute({
    method: 'get',
    path: '/v1/runs/:id/stages',
    tag,
    summary: 'The ten stages of a run, with outputs and failed tries',
    scope: read,
    params: byId,
    response: z.strictObject({
      data: z.array(stageResource),
      findings: z.array(finding),
    }),
    errors: ['NOT_FOUND'],
  }),
  listRunCalls: defineRoute({
    method: 'get',
    path: '/v1/runs/:id/calls',
    tag,
    summary: 'The engine calls of a run, with holds and costs',
    scope: read,
    params: byId,
    response: z.strictObject({ data: z.array(callResource) }),
    errors: ['NOT_FOUND'],
  }),
  listRunVersions: defineRoute({
    method: 'get',
    path: '/v1/runs/:id/versions',
    tag,
    summary: 'The versions of the run’s document',
    scope: read,
    params: byId,
    response: z.strictObject({ data: z.array(versionResource) }),
    errors: ['NOT_FOUND'],
  }),
  listRunArtifacts: defineRoute({
    method: 'get',
    path: '/v1/runs/:id/artifacts',
    tag,
    summary: 'The artifacts of a run',
    scope: 'artifacts:read',
    params: byId,
    response: z.strictObject({ data: z.array(artifactResource) }),
    errors: ['NOT_FOUND'],
  }),
  listArtifacts: defineRoute({
    method: 'get',
    path: '/v1/artifacts',
    tag: 'Artifacts',
    summary: 'List artifacts, newest first',
    scope: 'artifacts:read',
    query: z.strictObject({
      ...pageQuery,
      specificationId: specificationId.optional(),
      period: z.string().max(20).optional(),
      format: formatName.optional(),
    }),
    response: pageOf(artifactResource),
  }),
  getArtifact: defineRoute({
    method: 'get',
    path: '/v1/artifacts/:id',
    tag: 'Artifacts',
    summary: 'The bytes of an artifact; ETag is their SHA-256, cached for ever',
    scope: 'artifacts:read',
    params: z.strictObject({ id: artifactId }),
    gives: 'bytes',
    errors: ['NOT_FOUND', 'CONTENT_ERASED', 'CONTENT_TAMPERED'],
  }),
  previewArtifact: defineRoute({
    method: 'get',
    path: '/v1/artifacts/:id/preview',
    tag: 'Artifacts',
    summary: 'The artifact under a policy that lets nothing in it run',
    scope: 'artifacts:read',
    params: z.strictObject({ id: artifactId }),
    gives: 'bytes',
    errors: ['NOT_FOUND', 'CONTENT_ERASED', 'CONTENT_TAMPERED'],
  }),
} as const
