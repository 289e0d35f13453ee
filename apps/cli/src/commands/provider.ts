import { listCircuits, resumeProvider } from '@almanac/db'
import { createLogger, type Config } from '@almanac/runtime'
import type { Screen } from '../screen.ts'
import { withDatabase } from '../system/database.ts'

/** `almanac provider list`: the providers that were ever stopped for want of money, and how they stand. */
export async function listProviders(screen: Screen, config: Config): Promise<void> {
  const circuits = await withDatabase(config, createLogger(config, 'stderr'), ({ db }) =>
    db.withSystem('operators', listCircuits),
  )
  if (circuits.length === 0) screen.say('No provider was ever stopped.')
  for (const { provider, state, reason, nextProbeAt } of circuits)
    screen.say(
      `${provider}: ${state}` +
        (state === 'closed' ? '' : ` (${reason})`) +
        (nextProbeAt === null ? '' : `, tried again at ${nextProbeAt}`),
    )
  screen.result({ providers: circuits })
}

/** `almanac provider resume PROVIDER`: calls are made again. Throws NOT_FOUND for one that is not stopped. */
export async function resumeStopped(
  screen: Screen,
  config: Config,
  provider: string,
): Promise<void> {
  const queued = await withDatabase(config, createLogger(config, 'stderr'), ({ db }) =>
    db.withSystem('operators', (trx) => resumeProvider(trx, provider, 'operator')),
  )
  screen.say(`Resumed: provider ${provider}. ${queued} waiting runs are queued.`)
  screen.result({ provider, queued })
}
