import { listStops, resumeSpending, stopSpending, type StopScope, type Trx } from '@almanac/db'
import { AlmanacError } from '@almanac/domain'
import { createLogger, type Config } from '@almanac/runtime'
import type { Screen } from '../screen.ts'
import { withDatabase } from '../system/database.ts'
import { findTenant } from './operators.ts'

export interface StopOptions {
  all?: boolean
  tenant?: string
  provider?: string
  reason?: string
  resume?: boolean
}

/**
 * `almanac stop-spend`: no new engine call within two seconds, in any process, of all tenants, one
 * tenant, or one provider; `--resume` lifts such a stop, and the runs that waited go on. Without scope,
 * lists the stops in force. Throws INPUT_INVALID, NOT_FOUND.
 */
export async function stopSpend(
  screen: Screen,
  config: Config,
  options: StopOptions,
): Promise<void> {
  await withDatabase(config, createLogger(config, 'stderr'), ({ db }) =>
    db.withSystem('operators', async (trx) => {
      const stop = await scopeOf(trx, options)
      if (!stop) await list(trx, screen)
      else if (options.resume) await resume(trx, screen, stop)
      else await begin(trx, screen, stop, options.reason ?? 'no reason given')
    }),
  )
}

async function scopeOf(
  trx: Trx,
  { all, tenant, provider, resume: isResumed }: StopOptions,
): Promise<StopScope | undefined> {
  const given = [all, tenant, provider].filter((one) => one !== undefined)
  if (given.length > 1 || (given.length === 0 && isResumed))
    throw new AlmanacError('INPUT_INVALID', {
      issues: [{ field: 'stop-spend', message: 'takes one of --all, --tenant and --provider' }],
    })
  if (all) return { scope: 'all' }
  if (tenant !== undefined) return { scope: 'tenant', tenantId: (await findTenant(trx, tenant)).id }
  return provider === undefined ? undefined : { scope: 'provider', provider }
}

async function begin(trx: Trx, screen: Screen, stop: StopScope, reason: string): Promise<void> {
  const isNew = await stopSpending(trx, stop, 'operator', reason)
  screen.say(
    isNew
      ? `Stopped: ${whom(stop)} makes no new call within 2 seconds. Calls under way end as they end.`
      : `${whom(stop)} was stopped before.`,
  )
  screen.result({ ...stop, stopped: true, changed: isNew })
}

async function resume(trx: Trx, screen: Screen, stop: StopScope): Promise<void> {
  const queued = await resumeSpending(trx, stop, 'operator')
  if (queued === undefined) throw new AlmanacError('NOT_FOUND', { what: `stop of ${whom(stop)}` })
  screen.say(`Resumed: ${whom(stop)}. ${queued} waiting runs are queued.`)
  screen.result({ ...stop, stopped: false, queued })
}

async function list(trx: Trx, screen: Screen): Promise<void> {
  const stops = await listStops(trx)
  if (stops.length === 0) screen.say('Nothing is stopped.')
  for (const { scope, subject, reason, stoppedAt, stoppedBy } of stops)
    screen.say(`${scope} ${subject}`.trim() + ` since ${stoppedAt} by ${stoppedBy}: ${reason}`)
  screen.result({ stops })
}

function whom(stop: StopScope): string {
  if (stop.scope === 'all') return 'everything'
  return stop.scope === 'provider' ? `provider ${stop.provider}` : `tenant ${stop.tenantId}`
}
