import { createClient, readServerSentEvents } from '@almanac/client'
import { eventResource, runResource, type RunId } from '@almanac/domain'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { importSample } from './testing/import-sample.ts'
import { runQueued } from './testing/run-pipeline.ts'
import { send, testApi } from './testing/test-api.ts'
import { testTenant } from '../../../test/support/postgres.ts'

const { call, refused, db, url, woken, superuser } = await testApi({ limits: { heartbeatMs: 40 } })
const tenant = await testTenant(db)
const { key, tenantId, specificationId } = tenant
await importSample(db, tenant)

const patient = { timeout: 20_000 }

/** A period that no other test of this file uses. */
let week = 0
const nextPeriod = () => `2025-W${String((week += 1)).padStart(2, '0')}`

const start = async (change: object = {}, headers: Record<string, string> = {}) => {
  const json = { specificationId, period: nextPeriod(), ...change }
  const answer = await call('POST', '/v1/runs', { key, json, headers })
  return { ...answer, run: runResource.parse(answer.json) }
}

describe('a run', () => {
  it('is accepted with its address, and admission is woken', async () => {
    const before = woken()
    const { status, headers, run } = await start({ metadata: { a: 'b' }, externalId: 'x-1' })
    expect(status).toBe(201)
    expect(headers.get('location')).toBe(`/v1/runs/${run.id}`)
    expect(woken()).toBe(before + 1)
    expect(run).toMatchObject({ state: 'queued', metadata: { a: 'b' }, externalId: 'x-1' })
    const listed = await call('GET', '/v1/runs', { key, query: { externalId: 'x-1' } })
    expect(listed.json).toMatchObject({ data: [{ id: run.id }], nextCursor: null })
  })

  it('of a used period is refused with the run that used it', async () => {
    const { run } = await start({ period: '2026-W40' })
    await runQueued(db, tenantId)
    const json = { specificationId, period: '2026-W40' }
    const found = await refused('POST', '/v1/runs', { key, json }, 'CADENCE_SLOT_TAKEN')
    expect(found.status).toBe(409)
    expect(found.params).toMatchObject({ run: run.id, timeZone: 'America/New_York' })
    const existing = await call('POST', '/v1/runs', {
      key,
      json: { ...json, onConflict: 'return_existing' },
    })
    expect([existing.status, runResource.parse(existing.json).id]).toEqual([200, run.id])
  })

  it('is refused when its period, scope or specification is not right', async () => {
    const post = (change: object, code: string) =>
      refused('POST', '/v1/runs', { key, json: { specificationId, ...change } }, code)
    await post({ period: '2026-W60' }, 'CADENCE_PERIOD_INVALID')
    await post({ period: '2999-W01' }, 'CADENCE_PERIOD_OPEN')
    await post({ narrow: { regions: ['hawaii'] } }, 'SCOPE_WIDENED')
    await post({ specificationId: specificationId.replace(/.$/, '0') }, 'NOT_FOUND')
    const inactive = await testTenant(db, { name: 'Inactive', active: false })
    const json = { specificationId: inactive.specificationId }
    await refused('POST', '/v1/runs', { key: inactive.key, json }, 'SPEC_NOT_ACTIVE')
  })

  it('is cancelled, and its period is free again', async () => {
    const period = nextPeriod()
    const { run } = await start({ period })
    const cancelled = await call('POST', `/v1/runs/${run.id}/cancel`, { key })
    expect([cancelled.status, runResource.parse(cancelled.json).state]).toEqual([202, 'cancelled'])
    expect((await start({ period })).status).toBe(201)
    const retried = await call('POST', `/v1/runs/${run.id}/retry`, { key })
    expect([201, 409]).toContain(retried.status)
  })

  it('shows package, stages, calls, versions and artifacts when it succeeded', async () => {
    const { run } = await start({ period: '2026-W39' })
    await refused('GET', `/v1/runs/${run.id}/package`, { key }, 'NOT_FOUND')
    await runQueued(db, tenantId)
    const get = async (what: string) =>
      (await call('GET', `/v1/runs/${run.id}${what}`, { key })).json
    expect(await get('')).toMatchObject({ state: 'succeeded', standing: 'current', error: null })
    expect(await get('/package')).toMatchObject({ specification: { id: specificationId } })
    const { data: stages } = z
      .object({ data: z.array(z.object({ stage: z.string(), state: z.string() })) })
      .parse(await get('/stages'))
    expect(stages).toHaveLength(10)
    expect(stages.slice(0, 8).every(({ state }) => state === 'done')).toBe(true)
    for (const [what, least] of [
      ['/calls', 1],
      ['/versions', 1],
      ['/artifacts', 3],
    ] as const) {
      const { data } = z.object({ data: z.array(z.unknown()) }).parse(await get(what))
      expect(data.length).toBeGreaterThanOrEqual(least)
    }
  })

  it('is retracted with a reason, once', async () => {
    const { run } = await start({ period: '2026-W38' })
    await refused(
      'POST',
      `/v1/runs/${run.id}/retract`,
      { key, json: { reason: 'too early' } },
      'STATE_CONFLICT',
    )
    await runQueued(db, tenantId)
    const sent = { key, json: { reason: 'a wrong docket' } }
    const { json } = await call('POST', `/v1/runs/${run.id}/retract`, sent)
    expect(json).toMatchObject({ state: 'succeeded', standing: 'retracted' })
    await refused('POST', `/v1/runs/${run.id}/retract`, sent, 'STATE_CONFLICT')
  })
})

describe('Prefer: wait', () => {
  it('answers when the run has ended', async () => {
    const json = { specificationId, period: '2026-W37' }
    const waiting = call('POST', '/v1/runs', { key, json, headers: { prefer: 'wait=30' } })
    await expect.poll(() => runQueued(db, tenantId), patient).toBeGreaterThan(0)
    const { status, headers, json: body } = await waiting
    expect(status).toBe(200)
    expect(headers.get('preference-applied')).toBe('wait=30')
    expect(body).toMatchObject({ state: 'succeeded', periodKey: '2026-W37' })
  })

  it('answers 202 when it has not', async () => {
    for (const prefer of ['wait=0', 'respond-async, wait=0; x=1']) {
      const { status, headers, run } = await start({}, { prefer })
      expect([status, run.state]).toEqual([202, 'queued'])
      expect(headers.get('preference-applied')).toBe('wait=0')
      expect(headers.get('location')).toBe(`/v1/runs/${run.id}`)
    }
  })

  it('passes over what it cannot read', async () => {
    for (const prefer of ['wait=soon', 'wait', 'return=minimal']) {
      const { status, headers } = await start({}, { prefer })
      expect([status, headers.get('preference-applied')]).toEqual([201, null])
    }
  })

  it('waits again for a request that is repeated', async () => {
    const json = { specificationId, period: '2026-W36' }
    const headers = { 'idempotency-key': 'again', prefer: 'wait=30' }
    const first = await call('POST', '/v1/runs', {
      key,
      json,
      headers: { ...headers, prefer: 'wait=0' },
    })
    const second = call('POST', '/v1/runs', { key, json, headers })
    await expect.poll(() => runQueued(db, tenantId), patient).toBeGreaterThan(0)
    const { status, json: body, headers: got } = await second
    expect([status, runResource.parse(body).id]).toEqual([200, runResource.parse(first.json).id])
    expect(got.get('idempotency-replayed')).toBe('true')
  })
})

describe('the events of a run', () => {
  const stream = async (runId: RunId, headers: Record<string, string> = {}, query = {}) => {
    const response = await send(url, 'GET', `/v1/runs/${runId}/events`, {
      key,
      query,
      headers: { accept: 'text/event-stream', ...headers },
    })
    return response
  }
  const readAll = async (response: Response) => {
    const events = []
    if (!response.body) throw new Error('no body')
    for await (const event of readServerSentEvents(response.body)) events.push(event)
    return events
  }

  it('are streamed from the first on, and end with the run', async () => {
    const { run } = await start({ period: '2026-W35' })
    const response = await stream(run.id, { 'accept-encoding': 'gzip' })
    expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8')
    expect(response.headers.get('content-encoding')).toBeNull()
    const reading = readAll(response)
    await runQueued(db, tenantId)
    const events = await reading
    expect(events.map(({ id }) => Number(id))).toEqual(events.map((_, i) => i + 1))
    expect(events[0]?.event).toBe('run.queued')
    expect(events.at(-1)?.event).toBe('run.succeeded')
    for (const { id, event, data } of events)
      expect(eventResource.parse(JSON.parse(data))).toMatchObject({ seq: Number(id), type: event })
  })

  it('go on after the last one that was seen', async () => {
    const { run } = await start({ period: '2026-W34' })
    await runQueued(db, tenantId)
    const all = await readAll(await stream(run.id))
    const rest = await readAll(await stream(run.id, { 'last-event-id': '3' }, { after: '1' }))
    expect(rest).toEqual(all.slice(3))
    expect(await readAll(await stream(run.id, {}, { after: '2' }))).toEqual(all.slice(2))
    // Nothing is left: a browser is told not to come again.
    expect((await stream(run.id, { 'last-event-id': all.at(-1)?.id ?? '' })).status).toBe(204)
    await refused(
      'GET',
      `/v1/runs/${run.id}/events`,
      { key, headers: { 'last-event-id': 'x' } },
      'INPUT_INVALID',
    )
  })

  it('keep the connection open while nothing happens', async () => {
    const { run } = await start()
    const response = await stream(run.id)
    const reader = response.body?.pipeThrough(new TextDecoderStream() as never).getReader()
    let text = ''
    while (!/(: nothing new\n\n){2}/.test(text)) text += String((await reader?.read())?.value)
    expect(text).toContain('retry: 1000')
    await reader?.cancel()
  })

  it('are a list for those who ask for JSON', async () => {
    const { run } = await start()
    const headers = { accept: 'application/json' }
    const { json } = await call('GET', `/v1/runs/${run.id}/events`, { key, headers })
    expect(json).toEqual({
      data: [{ seq: 1, type: 'run.queued', data: { stage: 'retrieve' }, at: expect.any(String) }],
      nextCursor: null,
    })
  })

  it('reach many watchers, of many runs, each its own', async () => {
    const runs = [await start(), await start(), await start()]
    const streams = await Promise.all(runs.flatMap(({ run }) => [stream(run.id), stream(run.id)]))
    const reading = streams.map(readAll)
    await runQueued(db, tenantId)
    const seen = await Promise.all(reading)
    for (const [i, events] of seen.entries()) {
      expect(events.at(-1)?.event).toMatch(/^run\.(succeeded|failed|blocked)$/)
      expect(events.map(({ id }) => Number(id))).toEqual(events.map((_, n) => n + 1))
      expect(events).toEqual(seen[i - (i % 2)])
    }
  })

  it('are read by the client', async () => {
    const { run } = await start()
    const client = createClient({ url, key })
    const types: string[] = []
    const reading = (async () => {
      for await (const { type } of client.runEvents(run.id)) types.push(type)
    })()
    await runQueued(db, tenantId)
    await reading
    expect(types[0]).toBe('run.queued')
    expect(types.at(-1)).toMatch(/^run\./)
  })

  it('have a head that does not wait for their end', async () => {
    const { run } = await start()
    const { status, headers } = await call('HEAD', `/v1/runs/${run.id}/events`, { key })
    expect([status, headers.get('content-type')]).toEqual([200, 'text/event-stream; charset=utf-8'])
  })

  it('of nobody’s run are not found', async () => {
    const other = await testTenant(db, { name: 'Watcher' })
    const { run } = await start()
    await refused('GET', `/v1/runs/${run.id}/events`, { key: other.key }, 'NOT_FOUND')
  })

  it('end when the process does', async () => {
    const ending = await testApi()
    const there = await testTenant(ending.db)
    const json = { specificationId: there.specificationId, period: '2025-W01' }
    const { run } = await (async () => {
      const answer = await ending.call('POST', '/v1/runs', { key: there.key, json })
      return { run: runResource.parse(answer.json) }
    })()
    const response = await send(ending.url, 'GET', `/v1/runs/${run.id}/events`, { key: there.key })
    const waiting = send(ending.url, 'POST', '/v1/runs', {
      key: there.key,
      json: { ...json, period: '2025-W02' },
      headers: { prefer: 'wait=60' },
    })
    await expect
      .poll(async () => {
        const { json: list } = await ending.call('GET', '/v1/runs', { key: there.key })
        return (list as { data: unknown[] }).data.length
      })
      .toBe(2)
    const closed = ending.running.close()
    expect((await waiting).status).toBe(202)
    expect((await readAll(response)).map(({ event }) => event)).toEqual(['run.queued'])
    await closed
  })
})

it('the sample’s runs left no row of another tenant', async () => {
  const [row] = await superuser<{ tenants: number }>(
    'select count(distinct tenant_id)::int as tenants from runs',
  )
  expect(row?.tenants).toBe(1)
})
