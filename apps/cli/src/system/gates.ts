import { createPostgresBuckets, createSpendGate, type Database } from '@almanac/db'
import { createRateGate, type Ports, type RateBuckets, type RateLimits } from '@almanac/pipeline'
import { createBudgetMirror, createRedisBuckets, type BudgetMirror } from '@almanac/queue'
import type { Config, Logger, Shutdown } from '@almanac/runtime'
import { setTimeout as sleep } from 'node:timers/promises'

/** A call that may be sent so soon waits in its job; one that may not is parked. */
const patienceMs = 1_000
const listenAgainMs = 2_000

const unlimited: RateLimits = { requests: null, tokens: null }

/** What may be sent a minute to the provider of this installation's engine. */
export const ownRates = ({ engine }: Pick<Config, 'engine'>): RateLimits =>
  engine.kind === 'deterministic' ? unlimited : engine.rates

/** What every call has to pass: the stops of spending, and the rate limits of provider and tenant. */
export async function openGates(
  config: Pick<Config, 'engine' | 'redisUrl'>,
  db: Database,
  provider: string,
  log: Logger,
  shutdown: Pick<Shutdown, 'onShutdown'>,
): Promise<Pick<Ports, 'rates' | 'spending'> & { budgets?: BudgetMirror }> {
  const onError = (cause: unknown) => {
    log.warn({ cause }, 'the rate limits could not be asked; no call is made meanwhile')
  }
  const spending = createSpendGate(db)
  await spending.refresh()

  const closing = new AbortController()
  const listening = listenAlways(closing.signal, (signal) => spending.listen(signal))
  shutdown.onShutdown('spending', async () => {
    closing.abort()
    await listening
  })
  const own = ownRates(config)
  const rates = createRateGate({
    buckets: openBuckets(config, db, onError, shutdown),
    ofProvider: (asked) => (asked === provider ? own : unlimited),
    ofTenant: spending.ofTenant,
    patienceMs,
    sleep: (ms) => sleep(ms),
    onError,
  })
  const budgets = openMirror(config, log, shutdown)
  return { rates, spending, ...(budgets ? { budgets } : {}) }
}

/** The mirror of the budgets, where there is a Redis to hold it. */
function openMirror(
  { redisUrl }: Pick<Config, 'redisUrl'>,
  log: Logger,
  shutdown: Pick<Shutdown, 'onShutdown'>,
): BudgetMirror | undefined {
  if (redisUrl === null) return undefined
  const onError = (cause: unknown) => {
    log.debug({ cause }, 'the mirror of the budgets is not up to date; Postgres decides alone')
  }
  const mirror = createBudgetMirror({ redisUrl, onError })
  shutdown.onShutdown('budget mirror', () => mirror.close())
  return mirror
}

function openBuckets(
  { redisUrl }: Pick<Config, 'redisUrl'>,
  db: Database,
  onError: (error: unknown) => void,
  shutdown: Pick<Shutdown, 'onShutdown'>,
): RateBuckets {
  if (redisUrl === null) return createPostgresBuckets(db)
  const buckets = createRedisBuckets({ redisUrl, onError })
  shutdown.onShutdown('rate limits', () => buckets.close())
  return buckets
}

/** Listens again when the connection breaks; the watch over spending polls all the same. */
async function listenAlways(
  signal: AbortSignal,
  listen: (signal: AbortSignal) => Promise<{ lost: AbortSignal }>,
): Promise<void> {
  while (!signal.aborted) {
    const lost = await listen(signal).then(
      (connection) => connection.lost,
      () => AbortSignal.timeout(listenAgainMs),
    )
    await aborted(AbortSignal.any([signal, lost]))
  }
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve()
    else
      signal.addEventListener(
        'abort',
        () => {
          resolve()
        },
        { once: true },
      )
  })
