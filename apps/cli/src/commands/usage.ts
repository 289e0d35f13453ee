import type { Client } from '@almanac/client'
import {
  listLostCalls,
  readAllUsage,
  readProviderUsage,
  readWaste,
  type DayRange,
  type LostCall,
  type TenantUsage,
  type Trx,
} from '@almanac/db'
import {
  AlmanacError,
  parse,
  reconcile,
  usageCsv,
  usageDay,
  usageGroupBy,
  usageTable,
  usdText,
  wasteSays,
  type Reconciliation,
  type TenantId,
  type UsageDimension,
  type WasteReport,
} from '@almanac/domain'
import { createLogger, systemClock, type Config } from '@almanac/runtime'
import { z } from 'zod'
import { findSpecification } from '../find-specification.ts'
import { readText } from '../read-file.ts'
import { parseProviderFile } from '../reconciliation/provider-file.ts'
import { table, type Screen } from '../screen.ts'
import { withDatabase } from '../system/database.ts'
import { findTenant } from './operators.ts'

export interface UsageOptions {
  /** Of operators: a tenant by id or name, or all of them; else the tenant of the API key. */
  tenant?: string
  allTenants?: boolean
  from?: string
  to?: string
}

/** Where a command's numbers come from: the API for a tenant, the database for operators. */
export interface UsageSources {
  config: Config
  client: () => Client
}

/** Lines of one table at most. */
const mostLines = 100_000

const isOperators = ({ tenant, allTenants }: UsageOptions) => tenant !== undefined || allTenants

/** `almanac usage`: what calls cost, by specification unless told; a table, CSV or JSON. */
export async function showUsage(
  screen: Screen,
  sources: UsageSources,
  {
    by = 'specification',
    spec,
    csv = false,
    ...options
  }: UsageOptions & { by?: string; spec?: string; csv?: boolean },
): Promise<void> {
  const groupBy = parse(usageGroupBy, by, '--by')
  const days = daysOf(options)
  if (isOperators(options) && spec !== undefined)
    throw refusal('--spec', 'is for a tenant’s own key: group by specification instead')
  const { data, total } = isOperators(options)
    ? await operatorUsage(sources.config, options, groupBy, days)
    : await ownUsage(sources.client(), groupBy, days, spec)
  const dimensions = options.allTenants ? (['tenant', ...groupBy] as const) : groupBy
  if (csv) screen.say(usageCsv(dimensions, data).trimEnd().replaceAll('\r\n', '\n'))
  else {
    screen.say(
      table(usageTable(dimensions, data).map((row) => row.map((cell) => String(cell ?? '')))),
    )
    screen.say(
      `${days.from} to ${days.to}: $${usdText(total.costMicroUsd)} for ${total.calls} calls.`,
    )
  }
  screen.result({ ...days, groupBy: dimensions, data, total })
}

async function ownUsage(
  client: Client,
  groupBy: readonly UsageDimension[],
  days: DayRange,
  spec: string | undefined,
) {
  const specificationId =
    spec === undefined ? {} : { specificationId: (await findSpecification(client, spec)).id }
  const query = { ...days, ...specificationId, groupBy: groupBy.join(','), limit: 100 }
  const data: TenantUsage[] = []
  for (let cursor: string | undefined; ;) {
    const page = await client.getUsage({ query: { ...query, ...(cursor ? { cursor } : {}) } })
    data.push(...page.data)
    if (page.nextCursor === null) return { data, total: page.total }
    cursor = page.nextCursor
  }
}

const operatorUsage = (
  config: Config,
  options: UsageOptions,
  groupBy: readonly UsageDimension[],
  days: DayRange,
) =>
  inDatabase(config, options, (trx, tenantId) =>
    readAllUsage(
      trx,
      { tenantId, ...days, groupBy: tenantId === null ? ['tenant', ...groupBy] : groupBy },
      mostLines,
    ),
  )

/** `almanac usage waste`: what was paid for and brought nothing into a document. */
export async function showWaste(
  screen: Screen,
  { config, client }: UsageSources,
  options: UsageOptions,
): Promise<void> {
  const days = daysOf(options)
  const report = isOperators(options)
    ? await inDatabase(config, options, (trx, tenantId) => readWaste(trx, { tenantId, ...days }))
    : await client().getWaste({ query: days })
  screen.say(table([['WASTE', 'CALLS', 'COST', 'SHARE', ''], ...report.kinds.map(wasteLine)]))
  if (report.specifications.length > 0) {
    screen.say()
    const lines = report.specifications.map((line) => [line.specificationName, ...wasteLine(line)])
    screen.say(table([['SPECIFICATION', 'WASTE', 'CALLS', 'COST', 'OF ITS COST', ''], ...lines]))
  }
  screen.say(`All calls from ${days.from} to ${days.to}: $${usdText(report.total.costMicroUsd)}.`)
  screen.result(report)
}

const wasteLine = ({
  kind,
  calls,
  costMicroUsd,
  share,
}: WasteReport['kinds'][number]): string[] => [
  kind,
  String(calls),
  `$${usdText(costMicroUsd)}`,
  percent(share),
  wasteSays[kind],
]

export interface ReconcileOptions {
  provider: string
  from?: string
  to?: string
  threshold?: string
}

/**
 * `almanac usage reconcile FILE --provider P`: a provider's own numbers against ours, by UTC day and
 * model. Ends with 1 when a difference passes the threshold. The columns of the file are those of
 * `parseProviderFile`. Throws FILE_UNREADABLE, INPUT_INVALID.
 */
export async function reconcileUsage(
  screen: Screen,
  config: Config,
  file: string,
  { provider, threshold: typed = '1', ...options }: ReconcileOptions,
): Promise<void> {
  const threshold = parse(percentage, typed, '--threshold')
  const told = parseProviderFile(readText(file), file)
  const named = told.map(({ day }) => day).toSorted()
  const days = inOrder({
    from: parse(usageDay, options.from ?? named[0], '--from'),
    to: parse(usageDay, options.to ?? named.at(-1), '--to'),
  })
  const within = told.filter(({ day }) => day >= days.from && day <= days.to)
  const { counted, lost } = await inDatabase(config, { allTenants: true }, async (trx) => ({
    counted: await readProviderUsage(trx, provider, days),
    lost: await listLostCalls(trx, provider, days),
  }))
  const found = reconcile(counted, within, threshold)
  sayReconciliation(screen, provider, found, lost)
  const over = found.total.over || found.lines.some((line) => line.over)
  screen.say(
    over
      ? `At least one difference is above ${typed} %.`
      : `No difference is above ${typed} %, from ${days.from} to ${days.to}.`,
  )
  screen.result({ provider, ...days, threshold, over, ...found, lostCalls: lost })
  if (over) process.exitCode = 1
}

function sayReconciliation(
  screen: Screen,
  provider: string,
  { lines, total }: Reconciliation,
  lost: readonly LostCall[],
): void {
  const line = (
    name: readonly string[],
    { ours, theirs, difference, share, over }: Reconciliation['total'],
  ) => [
    ...name,
    usdText(ours.costMicroUsd),
    usdText(theirs.costMicroUsd),
    signed(usdText(difference.costMicroUsd)),
    percent(share),
    signed(String(difference.inputTokens)),
    signed(String(difference.outputTokens)),
    over ? 'over' : '',
  ]
  screen.say(
    table([
      ['DAY', 'MODEL', 'OURS $', `${provider} $`, 'DIFFERENCE $', '', 'INPUT', 'OUTPUT', ''],
      ...lines.map((one) => line([one.day, one.model], one)),
      line(['all', ''], total),
    ]),
  )
  if (lost.length === 0) return
  screen.say()
  screen.say('Calls whose answers were lost, which may explain differences:')
  const candidates = lost.map((call) => [
    call.day,
    call.model,
    `${call.runId} ${call.callKey} (send ${call.seq})`,
    `$${usdText(call.holdMicroUsd)}`,
    call.state === 'charged'
      ? 'charged in full: the provider may have billed less'
      : 'not among our costs: the provider may have billed up to this',
  ])
  screen.say(table([['DAY', 'MODEL', 'CALL', 'HELD', ''], ...candidates]))
}

const signed = (text: string): string => (/^-|^0(\.0+)?$/.test(text) ? text : `+${text}`)
const percent = (share: number): string => `${(share * 100).toFixed(1)} %`

const percentage = z
  .string()
  .regex(/^\d{1,3}(\.\d{1,6})?$/, { error: 'must be a percentage such as 0.5' })
  .transform((text) => Number(text) / 100)

/** The days that were typed; the present month up to today unless they were. */
function daysOf({ from, to }: Pick<UsageOptions, 'from' | 'to'>): DayRange {
  const last =
    to === undefined ? systemClock.now().toISOString().slice(0, 10) : parse(usageDay, to, '--to')
  const first = from === undefined ? `${last.slice(0, 7)}-01` : parse(usageDay, from, '--from')
  return inOrder({ from: first, to: last })
}

function inOrder(days: DayRange): DayRange {
  if (days.from <= days.to) return days
  throw refusal('--from', `must not be after ${days.to}`, days.from)
}

const inDatabase = <T>(
  config: Config,
  { tenant, allTenants }: UsageOptions,
  work: (trx: Trx, tenantId: TenantId | null) => Promise<T>,
): Promise<T> => {
  if (tenant !== undefined && allTenants)
    throw refusal('--all-tenants', 'is already without --tenant')
  return withDatabase(config, createLogger(config, 'stderr'), ({ db }) =>
    db.withSystem('operators', async (trx) =>
      work(trx, tenant === undefined ? null : (await findTenant(trx, tenant)).id),
    ),
  )
}

const refusal = (field: string, message: string, value?: string) =>
  new AlmanacError('INPUT_INVALID', {
    issues: [{ field, message, ...(value === undefined ? {} : { value }) }],
  })
