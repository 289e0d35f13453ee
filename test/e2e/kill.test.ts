import type { RunResource } from '@almanac/domain'
import { afterAll, expect, it } from 'vitest'
import { periodsBetween } from '@almanac/domain/cadence'
import {
  almanac,
  newDataDir,
  removeDataDir,
  startAlmanac,
  until,
  whilePaused,
  type AlmanacProcess,
} from '../support/almanac-process.ts'
import { sampleSpecification } from '../support/sample.ts'

const dataDir = newDataDir()
let running: AlmanacProcess | undefined
afterAll(async () => {
  await running?.stop()
  removeDataDir(dataDir)
})

/** Follows a run to its end; the instant of its last event. */
const lastEventAt = async ({ client }: AlmanacProcess, id: RunResource['id']): Promise<number> => {
  let last = 0
  for await (const { at } of client.runEvents(id)) last = Date.parse(at)
  return last
}

it(
  'ends every run once after kill -9 with 200 in flight, within its normal time and 10 s',
  { timeout: 300_000 },
  async () => {
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
    let acceptedAt = 0
    // None begins before all are accepted, so that they are under way together.
    const accepted = await whilePaused('retrieve', { args: ['--data', dataDir] }, async () => {
      const runs = await Promise.all(
        ids.flatMap((specificationId) =>
          periods.map((period) =>
            first.client.createRun({ body: { specificationId, period, fresh: true } }),
          ),
        ),
      )
      acceptedAt = Date.now()
      return runs
    })
    expect(accepted).toHaveLength(200)
    const done = await until(async () => {
      const { data } = await first.client.listRuns({ query: { state: 'succeeded', limit: 100 } })
      return data.length >= 20 ? data.length : undefined
    })
    const killedAt = Date.now()
    await first.kill()

    const restartedAt = Date.now()
    running = await startAlmanac(dataDir)
    expect(running.stderr()).toContain('adopted')
    const over: RunResource[] = []
    for (const { id } of accepted) {
      await lastEventAt(running, id)
      over.push(await running.client.getRun({ params: { id } }))
    }
    expect(new Set(over.map(({ state }) => state))).toEqual(new Set(['succeeded']))

    // The normal time of what was left, from the pace before the kill; then 10 s on top of it.
    const pace = (killedAt - acceptedAt) / done
    const normalMs = pace * 200
    expect(
      over.filter(({ finishedAt }) => Date.parse(finishedAt ?? '') > killedAt).length,
    ).toBeGreaterThan(50)
    const last = Math.max(...over.map(({ finishedAt }) => Date.parse(finishedAt ?? '')))
    expect(last - restartedAt).toBeLessThan(normalMs + 10_000)

    const keys = over.map(({ specificationId, periodKey }) => `${specificationId} ${periodKey}`)
    expect(new Set(keys).size).toBe(200)
    const { code, stdout } = await almanac(['verify', '--data', dataDir])
    expect(stdout).not.toContain('✕')
    expect(code).toBe(0)
  },
)
