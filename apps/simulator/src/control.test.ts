import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { play, reportRequest, type Playing } from './testing/client.ts'
import { sampleInput } from './testing/run-package.ts'

let playing: Playing
beforeAll(async () => {
  playing = await play()
})
afterAll(() => playing[Symbol.asyncDispose]())
beforeEach(() => {
  playing.simulator.control.removeFaults()
  playing.simulator.log.clear()
})

const control = async (method: string, path: string, body?: unknown) => {
  const answer = await playing.http(method, `/_control/${path}`, body)
  return { status: answer.status, body: JSON.parse(await answer.text()) }
}
const ask = () => playing.client.responses.create(reportRequest)

test('adds, lists and removes faults', async () => {
  const one = await control('POST', 'faults', {
    match: { nth: 2, keyContains: 'draft' },
    fault: { name: 'rate_429', retryAfterSeconds: 61 },
  })
  expect(one).toMatchObject({
    status: 200,
    body: { data: [{ left: 1, seen: 0, times: 1, fault: { retryAfterSeconds: 61 } }] },
  })
  const more = await control('POST', 'faults', [
    { fault: 'refused' },
    { fault: 'truncated', times: 5 },
  ])
  const [refused] = more.body.data
  expect(await control('DELETE', `faults/${refused.id}`)).toMatchObject({ body: { removed: 1 } })
  expect((await ask()).status).toBe('incomplete')
  await expect(ask()).rejects.toMatchObject({ status: 429 })
  expect((await control('GET', 'faults')).body.data).toMatchObject([
    { fault: { name: 'rate_429' }, left: 0, seen: 2 },
    { fault: { name: 'truncated' }, left: 4 },
  ])
  expect((await control('DELETE', 'faults')).body).toEqual({ removed: 2 })
  expect((await ask()).status).toBe('completed')
})

test('tells the requests with their bodies, page by page', async () => {
  for (let n = 0; n < 3; n += 1) await ask()
  await playing.simulator.log.idle()
  const [first] = playing.simulator.log.entries()
  const page = (query: string) => control('GET', `requests?${query}`)
  const { body } = await page('limit=2')
  expect(body.data).toHaveLength(2)
  expect(JSON.parse(body.data[0].body)).toEqual(reportRequest)
  expect(body.data[0].bodyHash).toBe(body.data[1].bodyHash)
  expect(body.nextAfter).toBe((first?.seq ?? 0) + 1)
  const rest = await page(`after=${body.nextAfter}&bodies=false`)
  expect(rest.body).toMatchObject({ data: [{ body: null, callKey: 'draft:1' }], nextAfter: null })
  expect((await control('DELETE', 'requests')).body).toEqual({ removed: 3 })
  expect((await page('')).body.data).toEqual([])
})

test('adds up what was billed', async () => {
  const { usage } = await ask()
  await playing.client.responses.create({ ...reportRequest, service_tier: 'flex' })
  expect((await control('GET', 'totals')).body).toMatchObject({
    'gpt-5.4-mini default': {
      requests: 1,
      billedRequests: 1,
      inputTokens: usage?.input_tokens,
      outputTokens: usage?.output_tokens,
    },
    'gpt-5.4-mini flex': { requests: 1, inputTokens: usage?.input_tokens },
  })
})

test('changes the seed, the latency, the limits, the probabilities and the cached share', async () => {
  const before = (await ask()).id
  await control('POST', 'seed', { seed: 7 })
  expect((await ask()).id).not.toBe(before)
  await control('POST', 'seed', { seed: '1' })
  expect((await ask()).id).toBe(before)

  await control('POST', 'probabilities', { refused: 1 })
  const refused = await ask()
  expect(refused.output[0]).toMatchObject({ content: [{ type: 'refusal' }] })
  await control('POST', 'probabilities', {})

  await control('POST', 'limits', { requestsPerMinute: 1 })
  expect(await Promise.allSettled([ask(), ask()])).toMatchObject([
    { status: 'fulfilled' },
    { status: 'rejected' },
  ])
  await control('POST', 'limits', {})

  await control('POST', 'settings', { cachedInputShare: 1 })
  const { usage } = await ask()
  const cached = usage?.input_tokens_details.cached_tokens ?? 0
  expect(cached).toBe(Math.floor((usage?.input_tokens ?? 0) / 128) * 128)
  expect(cached).toBeGreaterThan(0)
  await control('POST', 'settings', { cachedInputShare: 0 })

  const { body } = await control('POST', 'latency', { firstByteMs: 1, tokensPerSecond: 1e6 })
  expect(body.latency).toEqual({
    firstByteMs: 1,
    tokensPerSecond: 1e6,
    jitter: 0,
    tokensPerDelta: 16,
  })
  expect((await control('GET', 'settings')).body).toEqual(body)
  expect((await ask()).status).toBe('completed')
  await control('POST', 'latency', {})
})

test.each([
  ['faults', { fault: 'nonsense' }],
  ['faults', { fault: { name: 'refused', more: 1 } }],
  ['faults', { fault: 'refused', match: { nth: 0 } }],
  ['probabilities', { refused: 0.6, filtered: 0.6 }],
  ['probabilities', { nonsense: 0.1 }],
  ['latency', { firstByteMs: -1 }],
  ['seed', {}],
  ['settings', { colour: 'red' }],
  ['settings', []],
])('refuses %s %j', async (path, body) => {
  const before = playing.simulator.control.settings()
  const answer = await control('POST', path, body)
  expect(answer).toMatchObject({ status: 400, body: { error: { message: expect.any(String) } } })
  expect(playing.simulator.control.settings()).toEqual(before)
  expect(playing.simulator.control.faults()).toEqual([])
})

test('finds what was paid twice: equal bodies, or what a test calls equal', async () => {
  const { log } = playing.simulator
  await ask()
  await playing.client.responses.create({ ...reportRequest, service_tier: 'flex' })
  playing.simulator.control.addFaults({ fault: 'server_500' })
  await ask().catch(() => undefined)
  await log.idle()
  expect(log.paidTwice()).toEqual([])
  expect(log.paidTwice(({ callKey }) => callKey)).toHaveLength(1)
  await ask()
  await log.idle()
  expect(log.paidTwice().map((group) => group.map(({ status }) => status))).toEqual([[200, 200]])
})

test('control requests are not in the log, and need no key', async () => {
  await control('GET', 'totals')
  expect(playing.simulator.log.entries()).toEqual([])
  const answer = await fetch(`${playing.listening.url}/_control/settings`)
  expect(answer.status).toBe(200)
})

test('bodies with every character come back as they were sent', async () => {
  const input = `${sampleInput()} “ü” 😀 \\u0000`
  await playing.client.responses.create({ ...reportRequest, input })
  const { body } = await control('GET', 'requests')
  expect(JSON.parse(body.data[0].body).input).toBe(input)
})
