import { z } from 'zod'
import { operatorActions } from '../audit.ts'
import { auditId, runId, tenantId } from '../ids.ts'
import { plainLine } from '../plain-text.ts'
import { dollars } from '../reconciliation/dollars.ts'
import { instant, pageOf, pageQuery } from './pages.ts'
import { defineRoute } from './route.ts'
import {
  daysInOrder,
  daysOutOfOrder,
  usageDay,
  usageDays,
  usageGroup,
  usageGroupBy,
  usageSums,
  wasteReport,
} from './usage.ts'

const providerName = plainLine(100)

/** Whose spending: everybody's, one tenant's, or that at one provider. */
const target = {
  scope: z.enum(['all', 'tenant', 'provider']),
  /** The tenant; only with that scope. */
  tenantId: tenantId.optional(),
  /** The provider; only with that scope. */
  provider: providerName.optional(),
}
type Target = {
  scope: 'all' | 'tenant' | 'provider'
  tenantId?: string | undefined
  provider?: string | undefined
}
const namesItsTenant = ({ scope, tenantId: named }: Target) =>
  (scope === 'tenant') === (named !== undefined)
const namesItsProvider = ({ scope, provider }: Target) =>
  (scope === 'provider') === (provider !== undefined)
const onlyWith = (field: 'tenantId' | 'provider', scope: string) => ({
  error: `must be there for the scope ${scope}, and for no other`,
  path: [field],
})

export const spendStopResource = z
  .strictObject({
    /** `own` is a stop that a tenant has set itself; only the tenant lifts it. */
    scope: z.enum(['all', 'tenant', 'own', 'provider']),
    tenantId: z.nullable(tenantId),
    provider: z.nullable(z.string()),
    reason: z.string(),
    /** The operator or principal that stopped it. */
    stoppedBy: z.string(),
    stoppedAt: instant,
  })
  .meta({ id: 'SpendStop' })
export type SpendStopResource = z.output<typeof spendStopResource>

const amount = z.nullable(z.int())

export const providerResource = z
  .strictObject({
    provider: z.string(),
    /** What may be sent a minute, null where there is no limit; null for a provider that is not called here. */
    rates: z.nullable(z.strictObject({ requestsPerMinute: amount, tokensPerMinute: amount })),
    /** Whether it is called: `open` (it refuses to be paid), `half_open` (one run tries), `closed` (it is). */
    circuit: z.strictObject({
      state: z.enum(['closed', 'open', 'half_open']),
      reason: z.nullable(z.string()),
      openedAt: z.nullable(instant),
      nextProbeAt: z.nullable(instant),
    }),
    /** Whether an operator has stopped its spending, alone or with everybody's. */
    stopped: z.boolean(),
    /** The present UTC day; null when nothing is limited or was used. */
    today: z.nullable(
      z.strictObject({
        day: usageDay,
        limitMicroUsd: amount,
        heldMicroUsd: z.int(),
        spentMicroUsd: z.int(),
        overrunMicroUsd: z.int(),
        blocked: z.boolean(),
      }),
    ),
  })
  .meta({ id: 'Provider' })
export type ProviderResource = z.output<typeof providerResource>

const counted = z.strictObject({
  costMicroUsd: z.int(),
  inputTokens: z.int(),
  outputTokens: z.int(),
})
const compared = {
  ours: counted,
  theirs: counted,
  /** Theirs minus ours. */
  difference: counted,
  share: z.number(),
  over: z.boolean(),
}

const tokens = z.int({ error: 'must be a whole number of tokens' }).min(0)

const tenantUsage = usageGroup.extend({ tenantId: tenantId.optional() }).meta({ id: 'TenantUsage' })

export const operatorActResource = z
  .strictObject({
    id: auditId,
    at: instant,
    /** The operator's id, or `operator` for the command line. */
    actor: z.string(),
    action: z.enum(operatorActions),
    /** What was done it to: a key, a tenant, a provider, or `all`. */
    subject: z.string(),
    detail: z.record(z.string(), z.json()),
  })
  .meta({ id: 'OperatorAct' })
export type OperatorActResource = z.output<typeof operatorActResource>

const [tag, realm] = ['Operators', 'operator'] as const

/** What those who run the installation ask and do; their keys are of no tenant. */
export const operatorRoutes = {
  listSpendStops: defineRoute({
    method: 'get',
    path: '/v1/ops/stop-spend',
    tag,
    realm,
    summary: 'Every stop of spending in force, oldest first',
    scope: 'ops:read',
    response: z.strictObject({ data: z.array(spendStopResource) }),
  }),
  setSpendStop: defineRoute({
    method: 'post',
    path: '/v1/ops/stop-spend',
    tag,
    realm,
    summary: 'Stop spending of all, a tenant or a provider: no new engine call within 2 s',
    description:
      'Runs wait where they are until it is lifted; calls under way end as they end, and are settled. Stopping again changes nothing: the first reason stays.',
    scope: 'ops:stop-spend',
    body: z
      .strictObject({ ...target, reason: z.string().trim().min(3).max(500) })
      .refine(namesItsTenant, onlyWith('tenantId', 'tenant'))
      .refine(namesItsProvider, onlyWith('provider', 'provider')),
    response: spendStopResource.extend({ changed: z.boolean() }).meta({ id: 'SetSpendStop' }),
    errors: ['NOT_FOUND'],
  }),
  liftSpendStop: defineRoute({
    method: 'delete',
    path: '/v1/ops/stop-spend',
    tag,
    realm,
    summary: 'Lift a stop; the runs that nothing else stops go on',
    scope: 'ops:stop-spend',
    query: z
      .strictObject(target)
      .refine(namesItsTenant, onlyWith('tenantId', 'tenant'))
      .refine(namesItsProvider, onlyWith('provider', 'provider')),
    response: z.strictObject({ queuedRuns: z.int() }),
    errors: ['NOT_FOUND'],
  }),
  listProviders: defineRoute({
    method: 'get',
    path: '/v1/ops/providers',
    tag,
    realm,
    summary: 'Providers: their rates, whether they are called, and what they cost today',
    scope: 'ops:read',
    response: z.strictObject({ data: z.array(providerResource) }),
  }),
  resumeProvider: defineRoute({
    method: 'post',
    path: '/v1/ops/providers/:provider/resume',
    tag,
    realm,
    summary: 'Call a provider again that refused to be paid, once its account is settled',
    scope: 'ops:stop-spend',
    params: z.strictObject({ provider: providerName }),
    response: z.strictObject({ queuedRuns: z.int() }),
    errors: ['NOT_FOUND'],
  }),
  getTenantsUsage: defineRoute({
    method: 'get',
    path: '/v1/ops/usage',
    tag,
    realm,
    summary:
      'What calls cost, of all tenants or one, by tenant first; JSON, or CSV with all groups',
    scope: 'ops:read',
    query: z
      .strictObject({
        ...pageQuery,
        cursor: z.string().max(2_000).optional(),
        ...usageDays,
        tenantId: tenantId.optional(),
        /** Beside the tenant, by which it is always grouped unless one is named. */
        groupBy: usageGroupBy.prefault('month'),
        format: z.enum(['json', 'csv']).optional(),
      })
      .refine(daysInOrder, daysOutOfOrder),
    gives: 'csv',
    response: pageOf(tenantUsage).extend({ from: usageDay, to: usageDay, total: usageSums }),
    errors: ['INPUT_INVALID'],
  }),
  getTenantsWaste: defineRoute({
    method: 'get',
    path: '/v1/ops/usage/waste',
    tag,
    realm,
    summary: 'What was paid for and brought nothing into a document, of all tenants or one',
    scope: 'ops:read',
    query: z
      .strictObject({ ...usageDays, tenantId: tenantId.optional() })
      .refine(daysInOrder, daysOutOfOrder),
    response: wasteReport,
  }),
  reconcileUsage: defineRoute({
    method: 'post',
    path: '/v1/ops/usage/reconcile',
    tag,
    realm,
    summary: 'Hold a provider’s own numbers against ours, by UTC day and model',
    description:
      'A line is `over` when its costs, or its tokens, differ by more than `thresholdPercent` of the larger. `lostCalls` are those whose answers were lost, which may explain a difference. Changes nothing.',
    scope: 'ops:read',
    body: z
      .strictObject({
        provider: providerName,
        /** Default: the first day of the lines. */
        from: usageDay.optional(),
        /** Default: the last day of the lines. */
        to: usageDay.optional(),
        thresholdPercent: z.number().min(0).max(100).default(1),
        lines: z
          .array(
            z.strictObject({
              day: usageDay,
              model: plainLine(200),
              /** Cached ones included. */
              inputTokens: tokens,
              outputTokens: tokens,
              /** Dollars, as a number or as decimal text. */
              costUsd: dollars,
            }),
          )
          .min(1)
          .max(5_000),
      })
      .refine(daysInOrder, daysOutOfOrder),
    response: z.strictObject({
      provider: z.string(),
      from: usageDay,
      to: usageDay,
      over: z.boolean(),
      lines: z.array(z.strictObject({ day: usageDay, model: z.string(), ...compared })),
      total: z.strictObject(compared),
      lostCalls: z.array(
        z.strictObject({
          tenantId,
          runId,
          callKey: z.string(),
          seq: z.int(),
          /** `unknown`: its hold is not among our costs; `charged`: all of it is. */
          state: z.enum(['unknown', 'charged']),
          day: usageDay,
          model: z.string(),
          holdMicroUsd: z.int(),
        }),
      ),
    }),
    errors: ['INPUT_INVALID'],
  }),
  listOperatorActs: defineRoute({
    method: 'get',
    path: '/v1/ops/audit',
    tag,
    realm,
    summary: 'What operators did to the installation, newest first',
    scope: 'ops:read',
    query: z.strictObject(pageQuery),
    response: pageOf(operatorActResource),
  }),
} as const
