import { APIError } from 'openai'
import { expect, test } from 'vitest'
import type { Clock } from './clock.ts'
import { duration } from './rate-limits.ts'
import { model, play } from './testing/client.ts'

/** A clock that stands until it is moved. */
function manualClock(): Clock & { move: (ms: number) => void } {
  let now = Date.parse('2026-11-21T00:00:00Z')
  return { now: () => now, wait: () => Promise.resolve(true), move: (ms) => (now += ms) }
}

const refused = (request: Promise<unknown>): Promise<APIError> =>
  request.then(
    () => expect.unreachable('the request was let through'),
    (error: unknown) => {
      if (error instanceof APIError) return error
      throw error
    },
  )

test('tells what is left, and refuses what is too much until the bucket has filled', async () => {
  const clock = manualClock()
  const limits = { requestsPerMinute: 2, tokensPerMinute: 1_000_000 }
  await using playing = await play({ limits }, { clock })
  const ask = (input = 'Hi.') => playing.client.responses.create({ model, input })

  const { response } = await ask().withResponse()
  const header = (name: string) => response.headers.get(`x-ratelimit-${name}`)
  expect(header('limit-requests')).toBe('2')
  expect(header('remaining-requests')).toBe('1')
  expect(header('reset-requests')).toBe('30s')
  expect(header('limit-tokens')).toBe('1000000')
  expect(header('remaining-tokens')).toBe('999999')
  expect(header('reset-tokens')).toBe('1ms')

  await ask()
  const error = await refused(ask())
  expect(error).toMatchObject({ status: 429, code: 'rate_limit_exceeded', type: 'requests' })
  expect(error.message).toContain('Limit 2, Used 2, Requested 1. Please try again in 30s.')
  expect(error.headers?.get('retry-after')).toBe('30')
  expect(error.headers?.get('x-ratelimit-remaining-requests')).toBe('0')

  clock.move(29_999)
  expect((await refused(ask())).headers?.get('retry-after-ms')).toBe('1')
  clock.move(1)
  expect((await ask()).status).toBe('completed')
  expect(playing.simulator.log.entries().map(({ status }) => status)).toEqual([
    200, 200, 429, 429, 200,
  ])
})

test('counts what may be generated, or what was sent, whichever is more', async () => {
  const clock = manualClock()
  const limits = { requestsPerMinute: 1_000, tokensPerMinute: 6_000 }
  await using playing = await play({ limits }, { clock })
  const ask = (max_output_tokens: number, input = 'Hi.') =>
    playing.client.responses.create({ model, input, max_output_tokens })

  await ask(5_000)
  const error = await refused(ask(2_000))
  expect(error).toMatchObject({ status: 429, type: 'tokens' })
  expect(error.message).toContain('Limit 6000, Used 5000, Requested 2000. Please try again in 10s.')
  clock.move(10_000)
  await ask(16, 'x'.repeat(8_000))
  const large = await refused(ask(6_001))
  expect(large.message).toMatch(/^429 Request too large .* Requested 6001/)
  expect(large.headers?.get('retry-after')).toBeNull()
})

test('each key has its own buckets, and new limits begin with full ones', async () => {
  const clock = manualClock()
  await using playing = await play({ limits: { requestsPerMinute: 1 } }, { clock })
  const ask = (key: string) =>
    fetch(`${playing.listening.baseUrl}/responses`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model, input: 'Hi.' }),
    }).then(({ status }) => status)
  expect([await ask('one'), await ask('one'), await ask('two')]).toEqual([200, 429, 200])
  playing.simulator.control.change({ limits: { requestsPerMinute: 2 } })
  expect([await ask('one'), await ask('one'), await ask('one')]).toEqual([200, 200, 429])
})

test.each([
  [0, '0ms'],
  [643.2, '644ms'],
  [9_816, '9.816s'],
  [30_000, '30s'],
  [360_000, '6m0s'],
  [3_723_000, '1h2m3s'],
])('writes %d ms as %s', (ms, text) => {
  expect(duration(ms)).toBe(text)
})
