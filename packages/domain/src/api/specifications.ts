import { z } from 'zod'
import { cadence, timeZone } from '../cadence/cadence.ts'
import { runId, specificationId } from '../ids.ts'
import { specification } from '../specification.ts'
import { slotStates, specificationStates } from '../states.ts'
import { instant, pageOf, pageQuery } from './pages.ts'
import { defineRoute } from './route.ts'

export const specificationResource = z
  .strictObject({
    id: specificationId,
    state: z.enum(specificationStates),
    revision: z.int(),
    hash: z.string(),
    body: specification,
    activatedAt: z.nullable(instant),
    nextDueAt: z.nullable(instant),
    pausedBecause: z.nullable(z.string()),
    createdAt: instant,
    updatedAt: instant,
  })
  .meta({ id: 'Specification' })
export type SpecificationResource = z.output<typeof specificationResource>

/** A period in the ledger of a specification. */
export const periodResource = z
  .strictObject({
    periodKey: z.string(),
    ordinal: z.int(),
    state: z.enum(slotStates),
    runId: z.nullable(runId),
    from: instant,
    to: instant,
    timeZone,
    cadence,
    dueAt: z.nullable(instant),
    retryAt: z.nullable(instant),
    deadlineAt: z.nullable(instant),
    failures: z.int(),
    reason: z.nullable(z.string()),
  })
  .meta({ id: 'Period' })
export type PeriodResource = z.output<typeof periodResource>

const byId = z.strictObject({ id: specificationId })
const tag = 'Specifications'
const read = 'specifications:read'
const write = 'specifications:write'

export const specificationRoutes = {
  createSpecification: defineRoute({
    method: 'post',
    path: '/v1/specifications',
    tag,
    summary: 'Create a specification, as a draft',
    scope: write,
    body: specification,
    status: 201,
    response: specificationResource,
    idempotent: true,
    errors: ['INPUT_INVALID', 'SCOPE_NOT_ENTITLED', 'NAME_TAKEN'],
  }),
  listSpecifications: defineRoute({
    method: 'get',
    path: '/v1/specifications',
    tag,
    summary: 'List specifications, newest first',
    scope: read,
    query: z.strictObject({
      ...pageQuery,
      state: z.enum(specificationStates).optional(),
      externalId: z.string().optional(),
    }),
    response: pageOf(specificationResource),
  }),
  getSpecification: defineRoute({
    method: 'get',
    path: '/v1/specifications/:id',
    tag,
    summary: 'One specification; its ETag is its revision',
    scope: read,
    params: byId,
    query: z.strictObject({ revision: z.coerce.number().int().min(1).optional() }),
    response: specificationResource,
    errors: ['NOT_FOUND'],
  }),
  changeSpecification: defineRoute({
    method: 'patch',
    path: '/v1/specifications/:id',
    tag,
    summary: 'Change fields: makes a new revision (JSON merge patch, with If-Match)',
    scope: write,
    params: byId,
    body: z.record(z.string(), z.json()),
    response: specificationResource,
    errors: [
      'NOT_FOUND',
      'INPUT_INVALID',
      'SCOPE_NOT_ENTITLED',
      'PRECONDITION_REQUIRED',
      'REVISION_CONFLICT',
      'STATE_CONFLICT',
    ],
  }),
  activateSpecification: defineRoute({
    method: 'post',
    path: '/v1/specifications/:id/activate',
    tag,
    summary: 'Activate: it may run from now on',
    scope: write,
    params: byId,
    response: specificationResource,
    errors: ['NOT_FOUND', 'SCOPE_NOT_ENTITLED', 'QUOTA_EXHAUSTED', 'STATE_CONFLICT'],
  }),
  pauseSpecification: defineRoute({
    method: 'post',
    path: '/v1/specifications/:id/pause',
    tag,
    summary: 'Pause: queued runs are blocked when their turn comes',
    scope: write,
    params: byId,
    body: z.strictObject({ reason: z.string().max(500).default('') }),
    response: specificationResource,
    errors: ['NOT_FOUND', 'STATE_CONFLICT'],
  }),
  archiveSpecification: defineRoute({
    method: 'post',
    path: '/v1/specifications/:id/archive',
    tag,
    summary: 'Archive: final, artifacts stay',
    scope: write,
    params: byId,
    response: specificationResource,
    errors: ['NOT_FOUND', 'STATE_CONFLICT'],
  }),
  listPeriods: defineRoute({
    method: 'get',
    path: '/v1/specifications/:id/periods',
    tag,
    summary: 'The ledger of periods, newest first',
    scope: read,
    params: byId,
    query: z.strictObject({ ...pageQuery, state: z.enum(slotStates).optional() }),
    response: pageOf(periodResource),
    errors: ['NOT_FOUND'],
  }),
  getSchedule: defineRoute({
    method: 'get',
    path: '/v1/specifications/:id/schedule',
    tag,
    summary: 'The next periods and when each is due',
    scope: read,
    params: byId,
    response: z.strictObject({
      timeZone,
      upcoming: z.array(
        z.strictObject({ periodKey: z.string(), from: instant, to: instant, dueAt: instant }),
      ),
    }),
    errors: ['NOT_FOUND'],
  }),
  grantPeriod: defineRoute({
    method: 'post',
    path: '/v1/specifications/:id/grants',
    tag,
    summary: 'Grant one more success of a period, with a reason (operators)',
    scope: 'operator',
    params: byId,
    body: z.strictObject({ period: z.string().max(20), reason: z.string().min(3).max(500) }),
    status: 201,
    response: periodResource,
    errors: ['NOT_FOUND', 'CADENCE_PERIOD_INVALID', 'STATE_CONFLICT'],
  }),
} as const
