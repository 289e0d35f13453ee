import { z } from 'zod'
import { runId, specificationId } from '../ids.ts'
import { microUsd } from '../money.ts'
import { instant, pageOf, pageQuery } from './pages.ts'
import { defineRoute } from './route.ts'

/** The levels at which a tenant's money is limited beside that of a single run. */
export const budgetLevels = ['specification', 'tenant/day', 'tenant/month'] as const
export type BudgetLevelName = (typeof budgetLevels)[number]

const tokens = z.int({ error: 'must be a whole number of tokens' }).min(0)
const amounts = z.strictObject({ microUsd: z.int(), tokens: z.int() })

/** A limit to set: null is no limit. */
export const budgetLimit = z
  .strictObject({
    level: z.enum(budgetLevels),
    /** The specification that is limited; only with that level. */
    specificationId: specificationId.optional(),
    microUsd: z.nullable(microUsd),
    tokens: z.nullable(tokens).default(null),
  })
  .refine((limit) => (limit.level === 'specification') === (limit.specificationId !== undefined), {
    error: 'must be there for the level specification, and for no other',
    path: ['specificationId'],
  })
export type BudgetLimit = z.output<typeof budgetLimit>

export const budgetResource = z
  .strictObject({
    level: z.enum(budgetLevels),
    specificationId: z.nullable(specificationId),
    /** The UTC day or month that is counted; null for a specification, which counts everything. */
    period: z.nullable(z.string()),
    limit: z.strictObject({ microUsd: z.nullable(z.int()), tokens: z.nullable(z.int()) }),
    held: amounts,
    spent: amounts,
    /** What calls have cost above what was held for them; part of `spent`. */
    overrun: amounts,
    /** Whether an overrun that nobody has acknowledged keeps further calls out. */
    blocked: z.boolean(),
  })
  .meta({ id: 'Budget' })
export type BudgetResource = z.output<typeof budgetResource>

/** A share of a limit that was reached, or a call that cost more than was held for it. */
export const budgetAlertResource = z
  .strictObject({
    type: z.enum(['budget.nearing', 'budget.exhausted', 'budget.overrun']),
    at: instant,
    level: z.string(),
    /** The run, specification or tenant whose budget it is. */
    subject: z.string(),
    period: z.nullable(z.string()),
    /** Of `budget.nearing` and `budget.exhausted`: the share of which limit. */
    percent: z.nullable(z.int()),
    limit: z.nullable(z.int()),
    unit: z.enum(['micro-USD', 'tokens']),
    /** Of `budget.overrun`: the call, and by how much it passed its hold. */
    runId: z.nullable(runId),
    callKey: z.nullable(z.string()),
    microUsd: z.nullable(z.int()),
    acknowledgedAt: z.nullable(instant),
  })
  .meta({ id: 'BudgetAlert' })
export type BudgetAlertResource = z.output<typeof budgetAlertResource>

const tag = 'Budgets'

export const budgetRoutes = {
  listBudgets: defineRoute({
    method: 'get',
    path: '/v1/budgets',
    tag,
    summary: 'What is limited, held and spent: the tenant’s day and month, then by specification',
    scope: 'runs:read',
    query: z.strictObject(pageQuery),
    response: pageOf(budgetResource),
  }),
  setBudget: defineRoute({
    method: 'put',
    path: '/v1/budgets',
    tag,
    summary: 'Set the limit of a specification, or (operators) of the tenant’s days or months',
    description:
      'In force for every call that begins afterwards. A limit below what one run may need is refused; one below what is already spent and held is taken, and lets nothing more through.',
    scope: 'specifications:write',
    body: budgetLimit,
    response: budgetResource,
    errors: ['INPUT_INVALID', 'NOT_FOUND', 'SCOPE_MISSING'],
  }),
  listBudgetAlerts: defineRoute({
    method: 'get',
    path: '/v1/budget-alerts',
    tag,
    summary: 'Shares of limits that were reached (50, 80, 100 %) and overruns, newest first',
    scope: 'runs:read',
    query: z.strictObject(pageQuery),
    response: pageOf(budgetAlertResource),
  }),
} as const
