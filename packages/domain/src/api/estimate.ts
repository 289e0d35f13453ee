import { z } from 'zod'
import { specificationId } from '../ids.ts'
import { defineRoute } from './route.ts'

/** What an estimate rests on, the best first. */
export const estimateBases = [
  'package',
  'specification_history',
  'kindred_history',
  'run_budget',
] as const
export type EstimateBasis = (typeof estimateBases)[number]

const amounts = z.strictObject({ microUsd: z.int().min(0), tokens: z.int().min(0) })

export const estimateResource = z
  .strictObject({
    specificationId,
    /** The period that would be made; null for a specification on demand. */
    periodKey: z.nullable(z.string()),
    /**
     * `package`: the package that the run would have, and the engine's own bound of its calls;
     * `specification_history`: earlier runs of it; `kindred_history`: runs of the tenant's other
     * specifications of the same kind and industry; `run_budget`: nothing but what a run may cost.
     */
    basis: z.enum(estimateBases),
    /** Earlier runs that were looked at. */
    runs: z.int().min(0),
    low: amounts,
    expected: amounts,
    /**
     * Of the bases `package` and `run_budget`, a bound, repairs included (with refinement: the limit);
     * of the others, the 90th percentile.
     */
    high: amounts,
    /** What the run may cost at the very most: its specification's budget. */
    limit: amounts,
    /** `yes`: `high` fits into every budget now; `maybe`: `expected` does, and the first call’s hold; `no`. */
    fits: z.enum(['yes', 'maybe', 'no']),
    /** The levels into which `high` does not fit now. */
    short: z.array(
      z.strictObject({
        level: z.enum(['root', 'specification', 'tenant/day', 'tenant/month']),
        unit: z.enum(['micro-USD', 'tokens']),
        needed: z.int(),
        left: z.int(),
        because: z.enum(['limit', 'overrun']),
      }),
    ),
  })
  .meta({ id: 'Estimate' })
export type EstimateResource = z.output<typeof estimateResource>

export const estimateRoutes = {
  estimateRun: defineRoute({
    method: 'get',
    path: '/v1/specifications/:id/estimate',
    tag: 'Usage',
    summary: 'What a run would cost, before it starts, and whether the budgets have room for it',
    description:
      'Nothing is stored and no period is claimed. Budgets of providers belong to the installation and are not looked at.',
    scope: 'runs:read',
    params: z.strictObject({ id: specificationId }),
    query: z.strictObject({ period: z.string().max(20).optional() }),
    response: estimateResource,
    errors: ['NOT_FOUND', 'CADENCE_PERIOD_INVALID', 'SCOPE_NOT_ENTITLED', 'PACKAGE_TOO_LARGE'],
  }),
} as const
