import type { BucketEnding, KeyLimits, RateBuckets } from '../calls/rate-gate.ts'

/** One call as the provider saw it. */
export interface SentCall {
  at: number
  tenant: string
  /** What it used in the end; what was reserved where nobody knows. */
  tokens: number
}

export interface Traffic {
  buckets: RateBuckets
  clock: { at: number }
  calls: number
  limits: { provider: KeyLimits; tenants: readonly KeyLimits[] }
  /** The share of calls that the provider turns away. */
  refusals?: number
  /** Called at every tick with the number of calls sent so far. */
  onTick?(sent: number): Promise<void>
}

interface Ready {
  tenant: KeyLimits
  tokens: number
  from: number
}

interface Open extends Ready {
  takenAt: number
  endsAt: number
  entry: SentCall
}

const tickMs = 400

/**
 * Sends calls as many workers would, under a clock that only ticks: more than the limits allow, of
 * seeded sizes and durations, each asked for again when it is told to. Answers the provider's log.
 */
export async function simulateTraffic(traffic: Traffic): Promise<SentCall[]> {
  const { buckets, clock, calls, limits, refusals = 0, onTick } = traffic
  const random = seeded(7)
  const log: SentCall[] = []
  let ready: Ready[] = []
  let open: Open[] = []
  let made = 0

  const call = ({ tokens, tenant }: Ready) => ({ tokens, limits: [limits.provider, tenant] })
  const ask = async (one: Ready): Promise<void> => {
    const answer = await buckets.take(call(one))
    if (!answer.granted) {
      if (answer.retryAfterMs === null) throw new Error(`${one.tokens} tokens never fit`)
      ready.push({ ...one, from: clock.at + answer.retryAfterMs })
      return
    }
    const entry = { at: clock.at, tenant: one.tenant.key, tokens: one.tokens }
    log.push(entry)
    const endsAt = clock.at + 500 + 60_000 * random() ** 3
    open.push({ ...one, takenAt: answer.takenAt, endsAt, entry })
  }
  const end = async (one: Open): Promise<void> => {
    const fate = random()
    const isRefused = fate < refusals
    if (!isRefused) one.entry.tokens = Math.ceil(one.tokens * (0.2 + 0.8 * random()))
    const back = served(one.tokens - one.entry.tokens)
    const ending: BucketEnding = isRefused ? { ...back, pressure: 'refused' } : back
    await buckets.end({ ...call(one), takenAt: one.takenAt }, ending)
  }

  while (log.length < calls || open.length > 0) {
    // So many wait that there is always one to send, as long as there are any.
    while (made < calls && ready.length < 60) {
      const tenant = limits.tenants[Math.floor(random() ** 2 * limits.tenants.length)]
      if (!tenant) throw new Error('there are no tenants')
      const tokens = 100 + Math.floor(800 * random()) + (random() < 0.001 ? 60_000 : 0)
      ready.push({ tenant, tokens, from: clock.at })
      made += 1
    }
    // A while without new calls: the buckets fill, and what open calls did not use comes back.
    const isQuiet = clock.at % 180_000 < 20_000
    const due = isQuiet ? [] : ready.filter(({ from }) => from <= clock.at)
    ready = ready.filter((one) => !due.includes(one))
    const over = open.filter(({ endsAt }) => endsAt <= clock.at)
    open = open.filter(({ endsAt }) => endsAt > clock.at)
    await Promise.all([...over.map(end), ...due.map(ask)])
    await onTick?.(log.length)
    clock.at += tickMs
  }
  return log
}

const served = (tokens: number): BucketEnding => ({
  back: [0, tokens],
  pressure: 'served',
  closeMs: null,
  left: [null, null],
})

/** The most that any 60 seconds hold, their first and last instant included. */
export function busiestMinute(log: readonly SentCall[]): { requests: number; tokens: number } {
  const sorted = log.toSorted((a, b) => a.at - b.at)
  const busiest = { requests: 0, tokens: 0 }
  let [first, tokens] = [0, 0]
  sorted.forEach((call, last) => {
    tokens += call.tokens
    for (let old = sorted[first]; old && old.at < call.at - 60_000; old = sorted[++first])
      tokens -= old.tokens
    busiest.requests = Math.max(busiest.requests, last - first + 1)
    busiest.tokens = Math.max(busiest.tokens, tokens)
  })
  return busiest
}

/** Numbers in [0, 1) that are the same in every run (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
