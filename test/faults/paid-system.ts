import type { Client } from '@almanac/client'
import type { ReportSpecification, RunResource } from '@almanac/domain'
import { periodsBetween } from '@almanac/domain/cadence'
import { sha256 } from '@almanac/domain/hash'
import type { LogEntry, Simulator } from '@almanac/simulator'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'vitest'
import { almanac, until, whilePaused, type AlmanacProcess } from '../support/almanac-process.ts'
import type { TestDatabase } from '../support/postgres.ts'
import { samplePeriod, sampleSpecification } from '../support/sample.ts'
import { model } from './watched-engine.ts'

/** A whole installation in processes of its own, whose engine is paid for: at a simulator. */
export interface PaidSystem {
  test: TestDatabase
  simulator: Simulator
  /** What Almanac's processes are started with. */
  env: Record<string, string>
  /** The processes that must not end by themselves. */
  processes: readonly AlmanacProcess[]
}

/** The settings of an installation on these servers; without `redisUrl` the queue is in Postgres. */
export const environmentOf = (servers: {
  databaseUrl: string
  redisUrl: string | undefined
  baseUrl: string
}): Record<string, string> => ({
  DATABASE_URL: servers.databaseUrl,
  ...(servers.redisUrl === undefined ? {} : { REDIS_URL: servers.redisUrl }),
  ALMANAC_ENGINE: 'openai',
  OPENAI_API_KEY: 'sk-simulated',
  OPENAI_BASE_URL: servers.baseUrl,
  LLM_MODEL: model,
  ALMANAC_CONCURRENCY: '32',
  ALMANAC_LOG_LEVEL: 'warn',
})

/** Room for a call whose answer was lost: these tests are not about limits. */
const budget = { microUsd: 5_000_000, tokens: 1_000_000 }

/**
 * Asks for runs of different periods: as many as are wanted, of as many specifications as that takes. None
 * begins before all are asked for, so that they are under way together, however slow the asking is.
 */
export async function askForRuns(
  { client }: AlmanacProcess,
  env: Record<string, string>,
  count: number,
): Promise<RunResource[]> {
  const periods = periodsBetween('weekly', '2021-W01', '2022-W50').slice(0, 100)
  const asked: { specificationId: RunResource['specificationId']; period: string }[] = []
  for (let n = 1; asked.length < count; n += 1) {
    const body = sampleSpecification({ name: `paid ${n}`, externalId: `paid-${n}`, budget })
    const { id } = await client.createSpecification({ body })
    await client.activateSpecification({ params: { id } })
    asked.push(...periods.map((period) => ({ specificationId: id, period })))
  }
  const runs: RunResource[] = []
  const left = asked.slice(0, count)
  const ask = async () => {
    for (let body = left.shift(); body; body = left.shift())
      runs.push(await client.createRun({ body }))
  }
  await whilePaused('retrieve', { env }, () => Promise.all(Array.from({ length: 16 }, ask)))
  return runs
}

/**
 * Asks for the sample's report as many times, each of a specification of its own that differs by `over`, as
 * soon as a first start has put the sample's evidence there.
 */
export async function askForReports(
  client: Client,
  count: number,
  over: Partial<ReportSpecification>,
): Promise<RunResource[]> {
  const { externalId } = sampleSpecification()
  await until(async () => {
    const { data } = await client.listSpecifications({ query: { externalId } })
    return data.length > 0 || undefined
  })
  const runs: RunResource[] = []
  for (let n = 1; n <= count; n += 1) {
    const name = `${over.name ?? 'report'} ${n}`
    const body = sampleSpecification({ budget, ...over, name, externalId: name })
    const { id } = await client.createSpecification({ body })
    await client.activateSpecification({ params: { id } })
    runs.push(await client.createRun({ body: { specificationId: id, period: samplePeriod } }))
  }
  return runs
}

/** Waits until as many runs as `least` have succeeded; throws when one ends in another way. */
export const untilSucceeded = ({ test, processes }: PaidSystem, least: number): Promise<true> =>
  until(
    async () => {
      // Each look is a connection of its own, and the machine has other work.
      await sleep(250)
      const ends = await test.superuser<{ state: string; code: string | null; runs: number }>(
        `select state, error_code as code, count(*)::integer as runs from runs
          where finished_at is not null group by 1, 2`,
      )
      const bad = ends.find(({ state }) => state !== 'succeeded')
      if (bad) throw new Error(`a run ${bad.state}: ${bad.code ?? 'no code'}`)
      return (ends[0]?.runs ?? 0) >= least || undefined
    },
    () => {
      const gone = processes.find(({ child }) => child.exitCode !== null)
      if (gone) throw new Error(`a process has ended:\n${gone.stderr().slice(-2_000)}`)
    },
    300_000,
  )

/** A send as stored: `request_hash` is of the body without its service tier. */
export interface StoredSend {
  run_id: string
  call_key: string
  seq: number
  state: string
  reason: string | null
  worker_id: string
  request_hash: string
}

export const storedSends = ({ test }: PaidSystem): Promise<StoredSend[]> =>
  test.superuser<StoredSend>(
    `select run_id, call_key, seq, state, reason, worker_id, request_hash from engine_calls
      order by run_id, call_key, seq`,
  )

/** The worker of a process. */
export async function workerOf({ test }: Pick<PaidSystem, 'test'>, pid: number): Promise<string> {
  const [row] = await test.superuser<{ id: string }>('select id from workers where pid = $1', [pid])
  if (!row) throw new Error(`process ${pid} has no worker`)
  return row.id
}

/** The hash under which the ledger keeps the request that the simulator received. */
export function requestHashOf({ log }: Simulator, entry: LogEntry): string {
  const body = log.bodyOf(entry)?.toString('utf8') ?? ''
  const tier = '{"service_tier":"default",'
  if (!body.startsWith(tier)) throw new Error(`request ${entry.seq} names no service tier`)
  return sha256(`{${body.slice(tier.length)}`)
}

/**
 * Nothing is lost: every run succeeded, with its slot consumed by it alone and its three artifacts, and
 * `almanac verify` finds every row as it must be. Answers what verify printed.
 */
export async function expectNothingLost(system: PaidSystem, count: number): Promise<string> {
  const { test } = system
  const states = await test.superuser(
    `select state, count(*)::integer as runs from runs group by state`,
  )
  expect(states).toEqual([{ state: 'succeeded', runs: count }])
  const [kept] = await test.superuser(
    `select (select count(*)::integer from artifacts) as artifacts,
      (select count(distinct run_id)::integer from slots where state = 'consumed') as slots`,
  )
  expect(kept).toEqual({ artifacts: 3 * count, slots: count })
  return expectVerified(system)
}

/** `almanac verify` finds every row as it must be. Answers what it printed. */
export async function expectVerified({ env }: Pick<PaidSystem, 'env'>): Promise<string> {
  const { code, stdout, stderr } = await almanac(['verify'], { env })
  expect(stdout).not.toContain('✕')
  expect(code, stderr).toBe(0)
  return stdout
}
