import { createProbes } from '@almanac/db'
import { createSimulator, type Listening } from '@almanac/simulator'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { createEngine } from '../../apps/cli/src/system/engine.ts'
import { readConfig } from '@almanac/runtime'
import { testDatabase } from '../support/postgres.ts'

/** A start over chat completions: what the endpoint was found to do is kept, so the next need not ask. */
const { db } = await testDatabase()
const probes = createProbes(db)
const model = 'gpt-5.4-mini'
const simulator = createSimulator()
let listening: Listening
beforeAll(async () => {
  listening = await simulator.listen()
})
beforeEach(() => {
  simulator.control.removeFaults()
  simulator.log.clear()
})
afterAll(() => listening.close())

async function start() {
  const lines: [fields: unknown, message: string][] = []
  const note = (fields: unknown, message: string) => void lines.push([fields, message])
  const config = readConfig({
    ALMANAC_ENGINE: 'openai',
    OPENAI_API_KEY: 'sk-simulated',
    OPENAI_BASE_URL: listening.baseUrl,
    LLM_API: 'chat',
    LLM_MODEL: model,
  })
  const failure = await createEngine(config, { info: note, warn: note } as never, { probes }).then(
    () => undefined,
    (error: unknown) => error,
  )
  await simulator.log.idle()
  return { lines, failure, asked: simulator.log.entries().length }
}

it('probes once a day, and again after a refusal', async () => {
  const of = { endpoint: listening.baseUrl, api: 'chat', model } as const
  const first = await start()
  expect(first).toMatchObject({ failure: undefined, asked: 2 })
  expect(first.lines).toMatchObject([
    [{ probe: { ...of, usageReturned: true }, recalled: false }, 'probed the endpoint'],
  ])
  simulator.log.clear()
  const second = await start()
  expect(second.asked).toBe(0)
  expect(second.lines).toMatchObject([
    [
      { probe: { ...of, usageReturned: true }, recalled: true },
      'knows the endpoint from an earlier probe',
    ],
  ])

  const kept = await probes.find(of)
  if (!kept) throw new Error('nothing was kept')
  await probes.store(of, { ...kept, probedAt: new Date(Date.now() - 25 * 3_600_000) })
  simulator.control.addFaults({ fault: 'model_404', times: null })
  expect((await start()).failure).toMatchObject({ code: 'ENGINE_MISCONFIGURED' })
  expect(await probes.find(of)).toBeUndefined()
  simulator.control.removeFaults()
  simulator.log.clear()
  expect(await start()).toMatchObject({ failure: undefined, asked: 2 })
})
