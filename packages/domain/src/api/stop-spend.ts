import { z } from 'zod'
import { instant } from './pages.ts'
import { defineRoute } from './route.ts'

export const spendingResource = z
  .strictObject({
    /** Whether the tenant itself has stopped its spending. */
    stopped: z.boolean(),
    reason: z.nullable(z.string()),
    /** The principal that stopped it. */
    stoppedBy: z.nullable(z.string()),
    stoppedAt: z.nullable(instant),
    /** Of a resumption: how many waiting runs were queued. */
    queuedRuns: z.nullable(z.int()),
  })
  .meta({ id: 'Spending' })
export type SpendingResource = z.output<typeof spendingResource>

const tag = 'Usage'

export const stopSpendRoutes = {
  getSpendStop: defineRoute({
    method: 'get',
    path: '/v1/stop-spend',
    tag,
    summary: 'Whether the tenant has stopped its own spending',
    scope: 'runs:read',
    response: spendingResource,
  }),
  stopSpending: defineRoute({
    method: 'post',
    path: '/v1/stop-spend',
    tag,
    summary: 'Stop the tenant’s own spending: no new engine call within 2 s',
    description:
      'Runs wait where they are until it is resumed; calls under way end as they end, and are settled. Stopping again changes nothing: the first reason stays.',
    scope: 'runs:write',
    body: z.strictObject({ reason: z.string().trim().min(3).max(500) }),
    response: spendingResource,
  }),
  resumeSpending: defineRoute({
    method: 'delete',
    path: '/v1/stop-spend',
    tag,
    summary: 'Lift the tenant’s own stop; one that an operator has set stays in force',
    scope: 'runs:write',
    response: spendingResource,
    errors: ['NOT_FOUND'],
  }),
} as const
