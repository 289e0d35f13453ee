import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { model, patiently, play, reportRequest } from './testing/client.ts'

const hi = { model, input: 'Hi.' }

test('refuses what it could not record, and loses nothing', async () => {
  await using playing = await play({ maxLogEntries: 2 })
  await playing.client.responses.create(hi)
  await playing.client.responses.create(hi)
  await expect(playing.client.responses.create(hi)).rejects.toMatchObject({
    status: 503,
    code: 'simulator_log_full',
  })
  expect(playing.simulator.log.entries().map(({ seq }) => seq)).toEqual([1, 2])
  playing.simulator.log.clear()
  await playing.client.responses.create(hi)
  expect(playing.simulator.log.entries().map(({ seq }) => seq)).toEqual([3])
})

test('keeps the newest bodies within its bytes, and the hash of every one', async () => {
  await using playing = await play({ maxLogBodyBytes: 100 })
  const ask = (input: string) => playing.client.responses.create({ model, input })
  await ask('a'.repeat(30))
  await ask('b'.repeat(30))
  await playing.simulator.log.idle()
  const [first, second] = playing.simulator.log.entries()
  expect(first).toMatchObject({
    bodyKept: false,
    bodyHash: expect.stringMatching(/^[0-9a-f]{64}$/),
  })
  expect(playing.simulator.log.bodyOf(first!)).toBeUndefined()
  expect(playing.simulator.log.bodyOf(second!)?.toString()).toContain('bbb')
  expect(first?.bodyHash).not.toBe(second?.bodyHash)
})

test('writes arrivals and ends to a file', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'simulator-'))
  const file = join(folder, 'requests.ndjson')
  try {
    {
      await using playing = await play({ logFile: file })
      await playing.client.responses.create(reportRequest)
      playing.simulator.control.addFaults({ fault: 'reset_before_first_byte' })
      await playing.client.responses.create(hi).catch(() => undefined)
    }
    const lines = (await readFile(file, 'utf8')).trim().split('\n')
    const events = lines.map((line) => JSON.parse(line))
    expect(events.map(({ event, seq, outcome }) => [event, seq, outcome])).toEqual([
      ['arrived', 1, 'in_progress'],
      ['ended', 1, 'answered'],
      ['arrived', 2, 'in_progress'],
      ['ended', 2, 'reset'],
    ])
    expect(JSON.parse(events[0].body)).toEqual(reportRequest)
    expect(events[1].billed.outputTokens).toBeGreaterThan(0)
  } finally {
    await rm(folder, { recursive: true })
  }
})

test('answers nothing that its file cannot take', async () => {
  await using playing = await play({ logFile: join(tmpdir(), 'no', 'such', 'folder', 'x.ndjson') })
  await expect
    .poll(() => playing.client.responses.create(hi).catch((error: unknown) => error), patiently)
    .toMatchObject({ status: 503, code: 'simulator_log_unwritable' })
})

test('records a client that leaves in the middle of its own request', async () => {
  await using playing = await play()
  const { log } = playing.simulator
  const socket = connect(playing.listening.port, '127.0.0.1')
  socket.write('POST /v1/responses HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{"model"')
  await expect.poll(() => log.entries().length, patiently).toBe(1)
  socket.destroy()
  await log.idle()
  expect(log.entries()[0]).toMatchObject({ outcome: 'client_gone', status: null, billed: null })
})

test('records a client that leaves while it waits for the first byte', async () => {
  await using playing = await play({ latency: { firstByteMs: 60_000 } })
  const { log } = playing.simulator
  const abort = new AbortController()
  const request = playing.client.responses.create(reportRequest, { signal: abort.signal })
  await expect.poll(() => log.entries()[0]?.billed?.inputTokens, patiently).toBeGreaterThan(0)
  abort.abort()
  await expect(request).rejects.toThrow('aborted')
  await log.idle()
  expect(log.entries()[0]).toMatchObject({
    outcome: 'client_gone',
    status: null,
    told: null,
    billed: { outputTokens: 0 },
  })
})

test('requests that are refused are recorded with what they were answered', async () => {
  await using playing = await play({ keys: ['another'] })
  await playing.client.responses.create(hi).catch(() => undefined)
  await playing.http('POST', '/v1/nothing', {})
  await playing.simulator.log.idle()
  expect(
    playing.simulator.log.entries().map(({ path, status, billed }) => [path, status, billed]),
  ).toEqual([
    ['/v1/responses', 401, null],
    ['/v1/nothing', 404, null],
  ])
})
