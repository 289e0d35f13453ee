import {
  getSpecification,
  readBudgetRoom,
  readKindredCost,
  readOwnCost,
  type BudgetRoom,
  type PastCost,
} from '@almanac/db'
import {
  AlmanacError,
  type ErrorCode,
  type EstimateResource,
  type estimateRoutes,
  type SpecificationResource,
  type TenantId,
} from '@almanac/domain'
import { newId } from '@almanac/domain/ids'
import type { RunEstimate, RunFacts } from '@almanac/pipeline'
import type { Handlers } from '../binding/route-handler.ts'
import type { ApiParts } from '../parts.ts'

type Amounts = EstimateResource['low']
type Guess = Pick<EstimateResource, 'basis' | 'runs' | 'low' | 'expected' | 'high'> & {
  /** What its calls would need if nothing limited the run. */
  wanted: Amounts
  /** What has to be free for it to begin. */
  first: Amounts
}

/** The handler of `/v1/specifications/:id/estimate`. */
export const estimateHandlers = (parts: ApiParts): Handlers<keyof typeof estimateRoutes> => ({
  estimateRun: async ({ caller: { tenantId }, params: { id }, query: { period }, gone }) => {
    const [specification, own, kindred, rooms] = await parts.db.withTenant(
      tenantId,
      async (trx) => [
        await getSpecification(trx, tenantId, id),
        await readOwnCost(trx, tenantId, id),
        await readKindredCost(trx, tenantId, id),
        await readBudgetRoom(trx, tenantId, id),
      ],
    )
    const run = factsOf(parts, tenantId, specification, period)
    const assembled = await fromPackage(parts, run, gone)
    const { budget } = specification.body
    const limit = { microUsd: budget.microUsd, tokens: budget.tokens }
    const refines = specification.body.refinement.enabled
    const { wanted, first, ...guess } = bestGuess({ assembled, refines, own, kindred, limit })
    const fitting = { wanted, first, expected: guess.expected, high: guess.high, limit, rooms }
    const periodKey = assembled?.periodKey ?? period ?? null
    return { body: { specificationId: id, periodKey, ...guess, limit, ...fit(fitting) } }
  },
})

const factsOf = (
  { clock }: ApiParts,
  tenantId: TenantId,
  { id, revision, state }: SpecificationResource,
  period: string | undefined,
): RunFacts => ({
  id: newId('run'),
  tenantId,
  specificationId: id,
  revision,
  trigger: 'api',
  // A draft runs as a test only.
  test: state === 'draft',
  fresh: true,
  period: period ?? null,
  ordinal: 0,
  narrow: null,
  onConflict: 'refuse',
  lane: 'interactive',
  origin: null,
  createdAt: clock.now().toISOString(),
  deadlineAt: null,
})

/** A run that could not begin now may still be asked about: its history answers then. */
const notYet: readonly ErrorCode[] = ['SPEC_NOT_ACTIVE', 'CADENCE_PERIOD_OPEN', 'TENANT_SUSPENDED']

async function fromPackage(
  { estimateRun }: ApiParts,
  run: RunFacts,
  gone: AbortSignal,
): Promise<RunEstimate | undefined> {
  try {
    return await estimateRun?.(run, gone)
  } catch (error) {
    if (error instanceof AlmanacError && notYet.includes(error.code)) return undefined
    throw error
  }
}

/** The estimate from the best that is known. */
export function bestGuess({
  assembled,
  refines,
  own,
  kindred,
  limit,
}: {
  assembled: RunEstimate | undefined
  /** A refinement may use up whatever the run's budget has left. */
  refines: boolean
  own: PastCost | undefined
  kindred: PastCost | undefined
  limit: Amounts
}): Guess {
  const past = own ?? kindred
  if (assembled) {
    const { low, first, most, mostWithRepairs } = assembled
    const high = refines ? limit : each(Math.min, mostWithRepairs, limit)
    const usual = past ? each(Math.max, past.expected, low) : most
    return {
      basis: 'package',
      runs: past?.runs ?? 0,
      low: each(Math.min, low, high),
      expected: each(Math.min, usual, high),
      high,
      wanted: most,
      first,
    }
  }
  if (past) {
    const basis = own ? 'specification_history' : 'kindred_history'
    const { runs, low, expected, high } = past
    return { basis, runs, low, expected, high, wanted: high, first: expected }
  }
  const none = { microUsd: 0, tokens: 0 }
  const most = { expected: limit, high: limit, wanted: limit, first: limit }
  return { basis: 'run_budget', runs: 0, low: none, ...most }
}

const each = (pick: (a: number, b: number) => number, a: Amounts, b: Amounts): Amounts => ({
  microUsd: pick(a.microUsd, b.microUsd),
  tokens: pick(a.tokens, b.tokens),
})

/** Which budgets have no room for it, and what that means. */
export function fit({
  wanted,
  first,
  expected,
  high,
  limit,
  rooms,
}: {
  wanted: Amounts
  first: Amounts
  expected: Amounts
  high: Amounts
  limit: Amounts
  rooms: readonly BudgetRoom[]
}): Pick<EstimateResource, 'fits' | 'short'> {
  const root = { level: 'root', left: limit, blocked: false } as const
  const shortIn = (room: BudgetRoom | typeof root, needs: Amounts): EstimateResource['short'] =>
    (['microUsd', 'tokens'] as const).flatMap((unit) => {
      const [needed, left] = [needs[unit], room.left[unit]]
      if (needed === 0 || (!room.blocked && (left === null || needed <= left))) return []
      const because = room.blocked ? ('overrun' as const) : ('limit' as const)
      const name = unit === 'microUsd' ? ('micro-USD' as const) : ('tokens' as const)
      return [{ level: room.level, unit: name, needed, left: left ?? 0, because }]
    })
  const short = [...shortIn(root, wanted), ...rooms.flatMap((room) => shortIn(room, high))]
  const needed = each(Math.max, first, expected)
  const isShort = [root, ...rooms].some((room) => shortIn(room, needed).length > 0)
  return { fits: short.length === 0 ? 'yes' : isShort ? 'no' : 'maybe', short }
}
