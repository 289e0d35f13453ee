import { isAlmanacError } from '@almanac/domain'
import { endpointProbe, type EndpointProbe, type ProbedEndpoint } from './probe.ts'

/** Where probes outlive the process; what is kept is JSON. */
export interface ProbeStore {
  find(of: ProbedEndpoint): Promise<{ capabilities: string; probedAt: Date } | undefined>
  store(of: ProbedEndpoint, found: { capabilities: string; probedAt: Date }): Promise<void>
  forget(of: ProbedEndpoint): Promise<void>
}

export interface RecalledProbe {
  probe: EndpointProbe
  probedAt: Date
  /** Whether an earlier start found it. */
  recalled: boolean
}

/** So long a server is taken to do what it did. */
const holdsMs = 24 * 3_600_000

/**
 * What is known of an endpoint from the last 24 hours; else it is probed, and what it answered is kept.
 * An endpoint that turns the probe away is forgotten, one that gives no answer is asked next time.
 * Throws what `probe` throws.
 */
export async function recallProbe(
  engine: { endpoint: ProbedEndpoint; probe(signal: AbortSignal): Promise<EndpointProbe> },
  { store, now }: { store: ProbeStore; now: Date },
  signal: AbortSignal,
): Promise<RecalledProbe> {
  const { endpoint } = engine
  const kept = await store.find(endpoint)
  const known = kept && readProbe(kept.capabilities)
  if (known && holds(kept.probedAt, now))
    return { probe: known, probedAt: kept.probedAt, recalled: true }
  try {
    const probe = await engine.probe(signal)
    if (probe.servedModel !== null)
      await store.store(endpoint, { capabilities: JSON.stringify(probe), probedAt: now })
    return { probe, probedAt: now, recalled: false }
  } catch (error) {
    if (isAlmanacError(error, 'ENGINE_MISCONFIGURED')) await store.forget(endpoint)
    throw error
  }
}

/** A probe of the future was kept by a clock that was wrong. */
const holds = (probedAt: Date, now: Date): boolean => {
  const ageMs = now.getTime() - probedAt.getTime()
  return ageMs >= 0 && ageMs < holdsMs
}

/** Undefined for what another version kept and this one cannot read. */
function readProbe(text: string): EndpointProbe | undefined {
  try {
    return endpointProbe.safeParse(JSON.parse(text)).data
  } catch {
    return undefined
  }
}
