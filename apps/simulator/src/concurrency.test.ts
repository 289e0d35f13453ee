import { expect, test } from 'vitest'
import { play, reportRequest } from './testing/client.ts'

test('two hundred streams at once are all answered whole, each as if it were alone', async () => {
  await using playing = await play({
    latency: { firstByteMs: 5, tokensPerSecond: 50_000, jitter: 0.5 },
  })
  const { client, simulator } = playing
  const ask = async (n: number) => {
    const stream = await client.responses.create({
      ...reportRequest,
      metadata: { callKey: `draft:${n}` },
      stream: true,
    })
    let [text, usage] = ['', -1]
    for await (const event of stream) {
      if (event.type === 'response.output_text.delta') text += event.delta
      if (event.type === 'response.completed') usage = event.response.usage?.output_tokens ?? -1
    }
    return { text, usage }
  }
  const together = await Promise.all(Array.from({ length: 200 }, (_, n) => ask(n)))
  for (const { text, usage } of together) {
    expect(JSON.parse(text).sections).toHaveLength(3)
    expect(usage).toBe(Math.ceil(text.length / 4))
  }
  expect(await ask(17)).toEqual(together[17])
  await simulator.log.idle()
  const entries = simulator.log.entries()
  expect(entries).toHaveLength(201)
  expect(entries.every(({ outcome }) => outcome === 'answered')).toBe(true)
  expect(new Set(entries.map(({ requestId }) => requestId)).size).toBe(201)
})

test('a client that does not read holds up no other, and no more than its own socket', async () => {
  await using playing = await play()
  playing.simulator.control.addFaults({ fault: { name: 'huge_5mb', bytes: 30_000_000 } })
  const lazy = await playing.client.responses.create({ ...reportRequest, stream: true })
  expect((await playing.client.responses.create(reportRequest)).status).toBe('completed')
  const [entry] = playing.simulator.log.entries()
  expect(entry?.outcome).toBe('in_progress')
  lazy.controller.abort()
  await playing.simulator.log.idle()
  expect(entry?.outcome).toBe('client_gone')
  expect(entry?.billed?.outputTokens).toBeLessThan(30_000_000 / 4)
})
