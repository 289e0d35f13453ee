import { periodsBetween, calendarWindow } from '@almanac/domain/cadence'
import { sha256 } from '@almanac/domain/hash'
import type { Client } from '@almanac/client'
import type { RunResource } from '@almanac/domain'
import { createReadStream } from 'node:fs'
import {
  imageFlags,
  newDataDir,
  removeDataDir,
  startAlmanac,
  startFlags,
  until,
  type AlmanacProcess,
} from '../support/almanac-process.ts'
import { federalRules, hasFederalRules, sampleSpecification } from '../support/sample.ts'
import { startCountingProxy } from './counting-proxy.ts'
import { metric, quantile, type Metric } from './measurements.ts'
import { measureNoop } from './noop.ts'
import { cpuSeconds, openProfile, type Profile, type Servers } from './profile.ts'

const itemsPerRun = 20
const idleRequests = 40

/**
 * The pipeline as a user meets it: Almanac in its own process, asked over HTTP; embedded with the memory
 * that `npm start` gives, standard with that of the image.
 */
export async function benchPipeline({
  profile,
  rounds,
}: {
  profile: Profile
  rounds: number
}): Promise<Record<string, Metric>> {
  const servers = await openProfile(profile)
  const flags = profile === 'standard' ? imageFlags() : startFlags()
  const figures: Record<string, number[]> = {}
  const note = (name: string, value: number) => void (figures[name] ??= []).push(value)
  try {
    for (let round = 0; round < rounds; round += 1) {
      const { env } = await servers.fresh()
      const dataDir = newDataDir()
      const started = performance.now()
      const almanac = await startAlmanac(dataDir, { env, flags })
      try {
        await until(() => (almanac.stdout().includes('report.html') ? true : undefined))
        note('firstReportMs', performance.now() - started)
        await measureRound(almanac, note)
        note('rssMb', almanac.peakRssMb())
      } finally {
        await almanac.stop()
        removeDataDir(dataDir)
      }
      for (const [name, value] of Object.entries(await measureNoop(await servers.fresh())))
        note(name, value)
      note('roundTripsPerRun', await measureRoundTrips(await servers.fresh()))
    }
  } finally {
    await servers.close()
  }
  const units: Record<string, string> = {
    reportRunsPerSecond: 'runs/s',
    noopRunsPerSecond: 'runs/s',
    bullmqChainRunsPerSecond: 'runs/s',
    roundTripsPerRun: 'a run',
    rssMb: 'MB',
    cpuMsPerRun: 'ms',
  }
  const metrics = Object.fromEntries(
    Object.entries(figures).map(([name, values]) => [name, metric(values, units[name] ?? 'ms')]),
  )
  return withRatio(metrics, 'noopRunsPerSecond', 'bullmqChainRunsPerSecond')
}

function withRatio(metrics: Record<string, Metric>, of: string, to: string) {
  const [metric, baseline] = [metrics[of], metrics[to]]
  if (!metric || !baseline) return metrics
  const ratioTo = { name: to, ratio: metric.median / baseline.median }
  return { ...metrics, [of]: { ...metric, ratioTo } }
}

/** Round trips to Postgres a run, at full load: everything that the process asks, loops and API too. */
async function measureRoundTrips(servers: Awaited<ReturnType<Servers['fresh']>>): Promise<number> {
  const proxy = await startCountingProxy(servers.databaseUrl)
  const dataDir = newDataDir()
  const almanac = await startAlmanac(dataDir, { env: { ...servers.env, DATABASE_URL: proxy.url } })
  try {
    await until(() => (almanac.stdout().includes('report.html') ? true : undefined))
    const work = await prepare(almanac.client, { specifications: 5, periods: 20 })
    const before = proxy.roundTrips()
    const done = await runAll(almanac.client, work, 32)
    return (proxy.roundTrips() - before) / done.length
  } finally {
    await almanac.stop()
    removeDataDir(dataDir)
    await proxy.close()
  }
}

async function measureRound(
  { client, pid }: AlmanacProcess,
  note: (name: string, value: number) => void,
) {
  if (hasFederalRules) {
    const started = performance.now()
    const result = await client.importEvidence({
      query: { source: 'rules' },
      body: createReadStream(federalRules),
    })
    note('importMs', performance.now() - started)
    if (result.new !== 5_982) throw new Error(`imported ${result.new} of 5982 items`)
  }
  // A process that has just started still compiles its code.
  await runAll(client, await prepare(client, { specifications: 10, periods: 20 }), 32)
  const work = await prepare(client, { specifications: 20, periods: 20 })
  const [cpuBefore, started] = [cpuSeconds(pid), performance.now()]
  const runs = await runAll(client, work, 32)
  const seconds = (performance.now() - started) / 1_000
  note('reportRunsPerSecond', runs.length / seconds)
  note('cpuMsPerRun', ((cpuSeconds(pid) - cpuBefore) * 1_000) / runs.length)
  await checkArtifacts(client, runs)

  const idle = await prepare(client, { specifications: 1, periods: idleRequests })
  const waits: number[] = []
  for (const { specificationId, period } of idle) {
    const asked = performance.now()
    const run = await client.createRun({ body: { specificationId, period, fresh: true }, wait: 60 })
    waits.push(performance.now() - asked)
    if (run.state !== 'succeeded') throw new Error(`a run ${run.state}: ${run.error?.detail ?? ''}`)
  }
  note('idleRequestToArtifactMs', quantile(waits, 0.5))
  note('idleRequestToArtifactP99Ms', quantile(waits, 0.99))
}

interface Work {
  specificationId: RunResource['specificationId']
  period: string
}

let prepared = 0

/** Specifications with periods that hold 20 different items each, so that no two runs are alike. */
async function prepare(
  client: Client,
  size: { specifications: number; periods: number },
): Promise<Work[]> {
  const periods = periodsBetween('weekly', '2021-W01', '2022-W52').slice(0, size.periods)
  const work: Work[] = []
  for (let n = 0; n < size.specifications; n += 1) {
    prepared += 1
    const source = `bench-${prepared}`
    const lines = periods.flatMap((period) => linesOf(period, `${prepared}`))
    await client.importEvidence({ query: { source }, body: lines.join('\n') })
    const body = sampleSpecification({ name: source, externalId: source, sources: [source] })
    const { id } = await client.createSpecification({ body })
    await client.activateSpecification({ params: { id } })
    work.push(...periods.map((period) => ({ specificationId: id, period })))
  }
  return work
}

const agencies = ['FAA', 'EPA', 'FDA', 'USCG', 'FERC', 'NOAA', 'FCC', 'SEC', 'HUD', 'OSHA']

function linesOf(period: string, salt: string): string[] {
  const { from } = calendarWindow('weekly', period, 'America/New_York')
  return Array.from({ length: itemsPerRun }, (_, i) => {
    const agency = agencies[i % agencies.length] ?? 'FAA'
    const rule = i % 3 === 0
    const publishedAt = new Date(Date.parse(from) + (i + 1) * 3_600_000 * 6).toISOString()
    const docket = `${agency}-${period.slice(0, 4)}-${salt}-${i}`
    return JSON.stringify({
      id: `${period}-${i}`,
      publishedAt,
      title: `Requirements for matter ${salt}-${i} in week ${period.slice(6)}; Notice of ${rule ? 'Proposed' : 'Final'} Action`,
      documentType: rule ? 'Proposed Rule' : 'Rule',
      agency,
      docket,
      commentEndDate: rule
        ? new Date(Date.parse(publishedAt) + 30 * 86_400_000).toISOString()
        : null,
      url: `https://example.com/${docket}`,
    })
  })
}

/** Asks for all runs, `width` requests at a time, and waits until every one has succeeded. */
async function runAll(
  client: Client,
  work: readonly Work[],
  width: number,
): Promise<RunResource[]> {
  const queue = [...work]
  const runs: RunResource[] = []
  const ask = async () => {
    for (let next = queue.shift(); next; next = queue.shift())
      runs.push(await client.createRun({ body: { ...next, fresh: true }, wait: 60 }))
  }
  await Promise.all(Array.from({ length: width }, ask))
  const bad = runs.find(({ state }) => state !== 'succeeded')
  if (bad) throw new Error(`run ${bad.id} is ${bad.state}: ${bad.error?.detail ?? ''}`)
  return runs
}

/** Reads every artifact back and holds its bytes against the recorded hash. */
async function checkArtifacts(client: Client, runs: readonly RunResource[]): Promise<void> {
  for (const run of runs) {
    const { data } = await client.listRunArtifacts({ params: { id: run.id } })
    if (data.length !== 3) throw new Error(`run ${run.id} has ${data.length} artifacts`)
    for (const artifact of data) {
      const { bytes } = await client.getArtifact({ params: { id: artifact.id } })
      if (sha256(bytes) !== artifact.sha256)
        throw new Error(`artifact ${artifact.id} has other bytes`)
    }
  }
}
