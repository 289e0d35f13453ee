import type { RunResource } from '@almanac/domain'
import { afterAll, expect, it } from 'vitest'
import { periodsBetween } from '@almanac/domain/cadence'
import {
  almanac,
  newDataDir,
  removeDataDir,
  startAlmanac,
  until,
  type AlmanacProcess,
} from '../support/almanac-process.ts'
import { sampleSpecification } from '../support/sample.ts'

const dataDir = newDataDir()
let running: AlmanacProcess | undefined
afterAll(async () => {
  await running?.stop()
  removeDataDir(dataDir)
})

/** Instants of a run's own events, by type. */
const lastEventAt = async ({ client }: AlmanacProcess, run: RunResource): Promise<number> => {
  let last = 0
  for await (const { at } of client.runEvents(run.id)) last = Date.parse(at)
  return last
}

it('ends every run once after kill -9 with 200 in flight, within its normal time and 10 s', async () => {
  const first = await startAlmanac(dataDir)
  const periods = periodsBetween('weekly', '2021-W01', '2022-W50').slice(0, 100)
  const ids: RunResource['specificationId'][] = []
  for (const n of [1, 2]) {
    const source = 'sample-federal-register'
    const body = sampleSpecification({
      name: `spec ${n}`,
      externalId: `spec-${n}`,
      sources: [source],
    })
    const { id } = await first.client.createSpecification({ body })
    await first.client.activateSpecification({ params: { id } })
    ids.push(id)
  }
  const accepted = await Promise.all(
    ids.flatMap((specificationId) =>
      periods.map((period) =>
        first.client.createRun({ body: { specificationId, period, fresh: true } }),
      ),
    ),
  )
  expect(accepted).toHaveLength(200)
  await until(async () => {
    const { data } = await first.client.listRuns({ query: { state: 'succeeded', limit: 20 } })
    return data.length >= 10 ? true : undefined
  })
  await first.kill()

  const restartedAt = Date.now()
  running = await startAlmanac(dataDir)
  expect(running.stderr()).toContain('adopted')
  const over: RunResource[] = []
  for (const { id } of accepted) {
    const current = await running.client.getRun({ params: { id } })
    const lastAt = await lastEventAt(running, current)
    expect(lastAt).toBeGreaterThan(0)
    over.push(await running.client.getRun({ params: { id } }))
  }
  expect(new Set(over.map(({ state }) => state))).toEqual(new Set(['succeeded']))

  // What had not ended before the kill took, after it, at most 10 s more than all runs together take.
  const finished = over.map(({ finishedAt }) => Date.parse(finishedAt ?? ''))
  const afterwards = finished.filter((at) => at > restartedAt)
  const normalMs = 60_000
  expect(Math.max(...afterwards) - restartedAt).toBeLessThan(normalMs + 10_000)

  const keys = over.map(({ specificationId, periodKey }) => `${specificationId} ${periodKey}`)
  expect(new Set(keys).size).toBe(200)
  const { code, stdout } = await almanac(['verify', '--data', dataDir])
  expect(stdout).toContain('P1')
  expect(code).toBe(0)
})
