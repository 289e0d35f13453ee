import { measureBuckets } from './buckets.ts'
import { measureGrants } from './grants.ts'
import { metric, type Metric } from './measurements.ts'

/** What is measured of money and rates: each measurement answers its metrics' figures, round by round. */
const measurements: ((rounds: number) => Promise<Record<string, number[]>>)[] = [
  measureGrants,
  measureBuckets,
]

/** `npm run bench -- money`: how many holds and decisions a second the ledger and the rates make. */
export async function benchMoney({ rounds }: { rounds: number }): Promise<Record<string, Metric>> {
  const metrics: Record<string, Metric> = {}
  for (const measure of measurements)
    for (const [name, values] of Object.entries(await measure(rounds)))
      metrics[name] = metric(values, '1/s')
  return metrics
}
