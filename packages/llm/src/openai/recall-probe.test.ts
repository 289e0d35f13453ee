import { AlmanacError } from '@almanac/domain'
import { describe, expect, it } from 'vitest'
import type { EndpointProbe, ProbedEndpoint } from './probe.ts'
import { recallProbe, type ProbeStore } from './recall-probe.ts'

const endpoint: ProbedEndpoint = { endpoint: 'http://server/v1', api: 'chat', model: 'local' }
const found: EndpointProbe = {
  ...endpoint,
  ...{ servedModel: 'local-7b', schemaEnforced: true, usageReturned: false, limitHonoured: null },
  problems: ['The server does not tell usage: costs are estimated from counted tokens.'],
}
const now = new Date('2026-11-21T12:00:00Z')
const hoursAgo = (hours: number) => new Date(now.getTime() - hours * 3_600_000)

/** An endpoint that answers as told, and a store that keeps what it is given. */
function world(
  kept?: { capabilities: string; probedAt: Date },
  answer: () => EndpointProbe = () => found,
) {
  let asked = 0
  const rows = new Map(kept ? [[JSON.stringify(endpoint), kept]] : [])
  const store: ProbeStore = {
    find: (of) => Promise.resolve(rows.get(JSON.stringify(of))),
    store: (of, one) => Promise.resolve(void rows.set(JSON.stringify(of), one)),
    forget: (of) => Promise.resolve(void rows.delete(JSON.stringify(of))),
  }
  const engine = {
    endpoint,
    probe: async () => {
      asked += 1
      return Promise.resolve(answer())
    },
  }
  const recall = () => recallProbe(engine, { store, now }, new AbortController().signal)
  return { recall, rows, asked: () => asked }
}

describe('what is known of an endpoint', () => {
  const capabilities = JSON.stringify(found)

  it('is asked for once, and then recalled', async () => {
    const { recall, asked } = world()
    expect(await recall()).toEqual({ probe: found, probedAt: now, recalled: false })
    expect(await recall()).toEqual({ probe: found, probedAt: now, recalled: true })
    expect(asked()).toBe(1)
  })

  it.each([
    ['for a day', hoursAgo(23.9), capabilities, true],
    ['no longer than a day', hoursAgo(24), capabilities, false],
    ['not from the future', hoursAgo(-1), capabilities, false],
    ['not where it cannot be read', hoursAgo(1), '{"endpoint":7}', false],
    ['not where it is no JSON', hoursAgo(1), 'none', false],
  ])('holds %s', async (_, probedAt, text, recalled) => {
    const { recall, asked } = world({ capabilities: text, probedAt })
    expect(await recall()).toMatchObject({ probe: found, recalled })
    expect(asked()).toBe(recalled ? 0 : 1)
  })

  it('is forgotten when the endpoint turns the probe away', async () => {
    const refused = () => {
      throw new AlmanacError('ENGINE_MISCONFIGURED', {
        ...{ engine: 'openai', status: 404, reason: 'model_not_found' },
      })
    }
    const { recall, rows } = world({ capabilities, probedAt: hoursAgo(30) }, refused)
    await expect(recall()).rejects.toMatchObject({ code: 'ENGINE_MISCONFIGURED' })
    expect(rows.size).toBe(0)
  })

  it('is not kept when there was no answer', async () => {
    const silent = { ...found, servedModel: null, schemaEnforced: null, usageReturned: null }
    const { recall, rows } = world(undefined, () => silent)
    expect(await recall()).toMatchObject({ probe: silent, recalled: false })
    expect(rows.size).toBe(0)
  })
})
