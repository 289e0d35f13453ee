import {
  acknowledgeOverruns,
  findRunTenant,
  listBudgetAlerts,
  listBudgets,
  listProviderBudgets,
  releaseUnknownCall,
  setBudgetLimit,
  setProviderLimit,
  type Database,
} from '@almanac/db'
import {
  AlmanacError,
  budgetLimit,
  microUsd,
  parse,
  runId,
  type BudgetAlertResource,
  type BudgetResource,
} from '@almanac/domain'
import { createLogger, type Config } from '@almanac/runtime'
import { z } from 'zod'
import { table, type Screen } from '../screen.ts'
import { withDatabase } from '../system/database.ts'
import { findTenant } from './operators.ts'

/** Operators act with the rights of the database's login; the audit names them so. */
const operator = 'operator'

/** What `budget set` names, as typed; parsed here, so that a fraction or a sign is refused with a reason. */
export interface LimitOptions {
  tenant?: string
  spec?: string
  provider?: string
  microUsd?: string
  tokens?: string
  none?: boolean
}

const inDatabase = <T>(config: Config, work: (db: Database) => Promise<T>): Promise<T> =>
  withDatabase(config, createLogger(config, 'stderr'), ({ db }) => work(db))

/**
 * `almanac budget set LEVEL`: the limit of a specification, of a tenant's days or months, or of a
 * provider's days; in force at once. Throws INPUT_INVALID, NOT_FOUND.
 */
export async function setBudget(
  screen: Screen,
  config: Config,
  level: string,
  options: LimitOptions,
): Promise<void> {
  const amount = amounts(options)
  if (level === 'provider/day') {
    const provider = needed(options.provider, '--provider', 'PROVIDER')
    if (amount.tokens !== null)
      throw refusal('--tokens', 'is not counted for providers: set --micro-usd')
    const { usedMicroUsd, passed } = await inDatabase(config, (db) =>
      db.withSystem('operators', (trx) =>
        setProviderLimit(trx, operator, provider, amount.microUsd),
      ),
    )
    screen.say(`${provider} may cost ${said(amount.microUsd, 'micro-USD')} a day.`)
    if (passed) screen.warn(alreadyPassed(`${usedMicroUsd} micro-USD are`))
    screen.result({ level, provider, limitMicroUsd: amount.microUsd, usedMicroUsd, passed })
    return
  }
  const { budget, passed } = await inDatabase(config, async (db) => {
    const tenant = await db.withSystem('operators', (trx) =>
      findTenant(trx, needed(options.tenant, '--tenant', 'TENANT')),
    )
    const specificationId = options.spec === undefined ? {} : { specificationId: options.spec }
    const limit = parse(budgetLimit, { level, ...specificationId, ...amount })
    return setBudgetLimit(db, tenant.id, operator, limit)
  })
  const { limit, held, spent } = budget
  screen.say(
    `${budget.specificationId ?? options.tenant} may cost ${said(limit.microUsd, 'micro-USD')} and ${said(limit.tokens, 'tokens')} at the level ${level}.`,
  )
  if (passed)
    screen.warn(
      alreadyPassed(
        `${held.microUsd + spent.microUsd} micro-USD and ${held.tokens + spent.tokens} tokens are`,
      ),
    )
  screen.result({ ...budget, passed })
}

const said = (limit: number | null, unit: string): string =>
  limit === null ? `any number of ${unit}` : `${limit} ${unit}`

const alreadyPassed = (used: string): string =>
  `${used} spent or held already, which is more than the limit: nothing more goes through.`

function amounts({ microUsd: money, tokens, none = false }: LimitOptions) {
  if (none && (money !== undefined || tokens !== undefined))
    throw refusal('--none', 'lifts the limits: leave out --micro-usd and --tokens')
  if (!none && money === undefined && tokens === undefined)
    throw refusal('--micro-usd', 'or --tokens must say the limit, or --none that there is none')
  return {
    microUsd: money === undefined ? null : parse(microUsd, numberOf(money), '--micro-usd'),
    tokens: tokens === undefined ? null : parse(tokenCount, numberOf(tokens), '--tokens'),
  }
}

/** What stands there as a number, or the text itself, which no schema of numbers takes. */
const numberOf = (text: string): unknown =>
  /^-?\d+(\.\d+)?$/.test(text.trim()) ? Number(text) : text

/** `almanac budget list [TENANT]`: what is limited, held and spent, and what was alarming. */
export async function showBudgets(
  screen: Screen,
  config: Config,
  text: string | undefined,
): Promise<void> {
  const found = await inDatabase(config, async (db) =>
    db.withSystem('operators', async (trx) => {
      if (text === undefined) return { providers: await listProviderBudgets(trx) }
      const { id } = await findTenant(trx, text)
      const [budgets, alerts] = [
        await listBudgets(trx, id, { limit: 100 }),
        await listBudgetAlerts(trx, id, { limit: 20 }),
      ]
      return { tenantId: id, budgets: budgets.data, alerts: alerts.data }
    }),
  )
  if (found.providers) {
    const head = ['provider', 'day', 'limit', 'held', 'spent', 'overrun', '']
    const rows = found.providers.map((row) => [
      row.provider,
      row.day,
      row.limitMicroUsd === null ? '–' : String(row.limitMicroUsd),
      String(row.heldMicroUsd),
      String(row.spentMicroUsd),
      String(row.overrunMicroUsd),
      row.blocked ? 'blocked by an overrun' : '',
    ])
    screen.say(rows.length > 0 ? table([head, ...rows]) : 'No provider has cost anything today.')
    screen.result({ providers: found.providers })
    return
  }
  screen.say(
    table([['budget', 'limit', 'held', 'spent', 'overrun', ''], ...found.budgets.map(line)]),
  )
  for (const alert of found.alerts) screen.say(alarm(alert))
  screen.result(found)
}

const line = ({ level, period, specificationId, ...row }: BudgetResource): string[] => [
  [level, period ?? specificationId].join(' '),
  row.limit.microUsd === null ? '–' : String(row.limit.microUsd),
  String(row.held.microUsd),
  String(row.spent.microUsd),
  String(row.overrun.microUsd),
  row.blocked ? 'blocked by an overrun' : '',
]

function alarm({ at, type, level, subject, period, ...alert }: BudgetAlertResource): string {
  const whose = [level, period ?? subject].join(' ')
  if (type !== 'budget.overrun')
    return `${at}  ${type}  ${whose} reached ${alert.percent} % of ${alert.limit} ${alert.unit}`
  const state = alert.acknowledgedAt === null ? 'not acknowledged' : 'acknowledged'
  return `${at}  ${type}  ${alert.callKey} of ${alert.runId} cost ${alert.microUsd} micro-USD more than was held (${state})`
}

/** `almanac budget acknowledge RUN CALLKEY`: what an overrun blocked takes calls again. */
export async function acknowledgeOverrun(
  screen: Screen,
  config: Config,
  { run, callKey, reason }: { run: string; callKey: string; reason: string },
): Promise<void> {
  const id = parse(runId, run, 'RUN')
  const why = parse(reasonText, reason, '--reason')
  const acknowledged = await inDatabase(config, (db) =>
    db.withSystem('operators', async (trx) => {
      const call = { tenantId: await findRunTenant(trx, id), runId: id, callKey }
      return acknowledgeOverruns(trx, operator, call, why)
    }),
  )
  screen.say(`${acknowledged} overrun of ${callKey} of ${id} is acknowledged.`)
  screen.result({ runId: id, callKey, acknowledged })
}

/** `almanac call release RUN CALLKEY`: gives back the hold of a call whose answer was lost. */
export async function releaseCall(
  screen: Screen,
  config: Config,
  { run, callKey, reason }: { run: string; callKey: string; reason: string },
): Promise<void> {
  const id = parse(runId, run, 'RUN')
  const why = parse(reasonText, reason, '--reason')
  const released = await inDatabase(config, async (db) => {
    const tenantId = await db.withSystem('operators', (trx) => findRunTenant(trx, id))
    return releaseUnknownCall(db, operator, { tenantId, runId: id, callKey }, why)
  })
  screen.say(`${callKey} of ${id} is released: ${released.microUsd} micro-USD are given back.`)
  screen.result({ runId: id, callKey, ...released })
}

const tokenCount = z.int({ error: 'must be a whole number of tokens' }).min(0)
const reasonText = z.string().trim().min(3).max(500)

function needed(value: string | undefined, field: string, name: string): string {
  if (value !== undefined) return value
  throw refusal(field, `must name the ${name} that is limited`)
}

const refusal = (field: string, message: string) =>
  new AlmanacError('INPUT_INVALID', { issues: [{ field, message }] })
