import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { specificationResource } from '@almanac/domain'
import { testTenant } from '../../../test/support/postgres.ts'
import { examples } from './docs/examples.ts'
import { testApi } from './testing/test-api.ts'

const { call, refused, db } = await testApi()
const { key } = await testTenant(db)
const body = examples.createSpecification?.body

const create = async (change: object = {}) => {
  const answer = await call('POST', '/v1/specifications', { key, json: { ...body, ...change } })
  expect(answer.status).toBe(201)
  return { ...answer, resource: specificationResource.parse(answer.json) }
}
const patch = (revision: string | undefined, json: object) => ({
  key,
  json,
  headers: revision === undefined ? {} : { 'if-match': revision },
})

describe('a specification', () => {
  it('is a draft with an address and a revision', async () => {
    const { headers, resource } = await create()
    expect(resource).toMatchObject({ state: 'draft', revision: 1 })
    expect(headers.get('location')).toBe(`/v1/specifications/${resource.id}`)
    expect(headers.get('etag')).toBe('"1"')
    const again = await call('GET', `/v1/specifications/${resource.id}`, { key })
    expect(again.json).toEqual(resource)
  })

  it('is changed by a merge patch, as a new revision; the old one stays', async () => {
    const { resource } = await create({ externalId: 'patched' })
    const address = `/v1/specifications/${resource.id}`
    const sent = patch('"1"', { regions: ['texas'], externalId: null, budget: { tokens: 9_000 } })
    const changed = await call('PATCH', address, sent)
    expect(changed.headers.get('etag')).toBe('"2"')
    expect(changed.json).toMatchObject({
      revision: 2,
      body: {
        regions: ['texas'],
        deliverables: ['final-rules', 'proposed-rules'],
        budget: { tokens: 9_000, microUsd: 500_000 },
      },
    })
    expect(specificationResource.parse(changed.json).body.externalId).toBeUndefined()
    const first = await call('GET', address, { key, query: { revision: '1' } })
    expect(first.json).toMatchObject({ revision: 1, body: { regions: ['national', 'texas'] } })
    await refused('GET', address, { key, query: { revision: '3' } }, 'NOT_FOUND')
  })

  it('takes a patch of either media type', async () => {
    const { resource } = await create()
    const sent = patch('"1"', { offsetMinutes: 5 })
    const headers = { ...sent.headers, 'content-type': 'application/merge-patch+json' }
    const address = `/v1/specifications/${resource.id}`
    expect((await call('PATCH', address, { ...sent, headers })).status).toBe(200)
  })

  it('is not changed without the revision that the change starts from', async () => {
    const { resource } = await create()
    const address = `/v1/specifications/${resource.id}`
    const none = await refused('PATCH', address, patch(undefined, {}), 'PRECONDITION_REQUIRED')
    expect(none.status).toBe(428)
    const old = await refused('PATCH', address, patch('"9"', {}), 'REVISION_CONFLICT')
    expect([old.status, old.params]).toEqual([412, { expected: '9', current: '1' }])
    for (const ifMatch of ['1', '*', 'W/"1"', '"1", "2"', '"0"', '"one"'])
      await refused('PATCH', address, patch(ifMatch, {}), 'INPUT_INVALID')
  })

  it('orders no kind of document that nothing here makes', async () => {
    const unknown = { key, json: { ...body, documentKind: 'x-memo' } }
    const { params } = await refused('POST', '/v1/specifications', unknown, 'INPUT_INVALID')
    expect(params).toMatchObject({ issues: [{ field: 'documentKind', value: '"x-memo"' }] })
    const { resource } = await create()
    const address = `/v1/specifications/${resource.id}`
    await refused('PATCH', address, patch('"1"', { documentKind: 'x-memo' }), 'INPUT_INVALID')
    await refused('PATCH', address, patch('"1"', { documentKind: 'report' }), 'INPUT_INVALID')
  })

  it('tells everything that is wrong with it at once: form, catalogue, refinement', async () => {
    const refinement = {
      enabled: true,
      maxDepth: 2,
      microUsd: 500_001,
      termination: [
        { type: 'depth_reached', depth: 3 },
        { type: 'cost_ceiling', microUsd: 'much' },
        { type: 'target_score', score: 1.01 },
        { type: 'plugin', name: 'mine' },
      ],
      strategies: { merge: 'shuffle' },
    }
    const wrong = {
      cadence: 'hourly',
      regions: ['texas', 'atlantis'],
      documentKind: 'x-memo',
      refinement,
    }
    const fields = [
      'cadence',
      'documentKind',
      'refinement.microUsd',
      'refinement.strategies.merge',
      'refinement.termination.0',
      'refinement.termination.1.microUsd',
      'refinement.termination.2',
      'refinement.termination.3.name',
      'regions.1',
    ]
    const told = ({ params }: { params?: unknown }) =>
      (params as { issues: { field: string; message: string }[] }).issues.toSorted((a, b) =>
        a.field < b.field ? -1 : 1,
      )
    const sent = { key, json: { ...body, ...wrong } }
    const created = told(await refused('POST', '/v1/specifications', sent, 'INPUT_INVALID'))
    expect(created.map(({ field }) => field)).toEqual(fields)
    const { resource } = await create()
    const address = `/v1/specifications/${resource.id}`
    const changed = await refused('PATCH', address, patch('"1"', wrong), 'INPUT_INVALID')
    expect(told(changed)).toEqual(created)
    expect(created[4]?.message).toBe(
      'can never come true: depth_reached.depth must be 1 to maxDepth, which is 2',
    )
    expect((await call('GET', address, { key })).json).toMatchObject({ revision: 1 })
  })

  it('uses no strategy of refinement that nothing here brings, and is told those that there are', async () => {
    const refinement = {
      enabled: true,
      termination: [
        { type: 'depth_reached', depth: 1 },
        { type: 'plugin', name: 'gone' },
      ],
      strategies: { variants: ['brevity', 'gone'], merge: 'gone' },
    }
    const unknown = { key, json: { ...body, refinement } }
    const { params } = await refused('POST', '/v1/specifications', unknown, 'INPUT_INVALID')
    const value = '"gone"'
    expect(params).toEqual({
      issues: [
        {
          field: 'refinement.strategies.variants.1',
          message: 'must be one of coverage-gaps, brevity, evidence-depth, restructure',
          value,
        },
        {
          field: 'refinement.strategies.merge',
          message: 'must be one of three-way, additive',
          value,
        },
        {
          field: 'refinement.termination.1.name',
          message: 'names a condition of a plugin, and no plugin here brings one',
          value,
        },
      ],
    })
    const malformed = { key, json: { ...unknown.json, refinement: { ...refinement, maxDepth: 0 } } }
    const all = await refused('POST', '/v1/specifications', malformed, 'INPUT_INVALID')
    const { issues } = z
      .object({ issues: z.array(z.object({ field: z.string() })) })
      .parse(all.params)
    expect(issues.map(({ field }) => field)).toEqual([
      'refinement.maxDepth',
      'refinement.strategies.variants.1',
      'refinement.strategies.merge',
      'refinement.termination.1.name',
    ])
    const { resource } = await create()
    const address = `/v1/specifications/${resource.id}`
    await refused('PATCH', address, patch('"1"', { refinement }), 'INPUT_INVALID')
    const known = { ...refinement, strategies: { merge: 'additive', variants: ['brevity'] } }
    const own = { ...known, termination: refinement.termination.slice(0, 1) }
    const changed = await call('PATCH', address, patch('"1"', { refinement: own }))
    expect(changed.status).toBe(200)
  })

  it('is changed by one of two at once', async () => {
    const { resource } = await create()
    const answers = await Promise.all(
      [10, 20].map((offsetMinutes) =>
        call('PATCH', `/v1/specifications/${resource.id}`, patch('"1"', { offsetMinutes })),
      ),
    )
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 412])
  })

  it('is parsed as a whole after a patch', async () => {
    const { resource } = await create()
    const address = `/v1/specifications/${resource.id}`
    for (const [change, field] of [
      [{ cadence: 'hourly' }, 'cadence'],
      [{ title: 7 }, 'title'],
      [{ title: null }, 'title: is missing; it must be a text'],
      [{ regions: ['atlantis'] }, 'regions.0'],
      [{ industry: 'nonsense' }, 'industry'],
      [{ nonsense: 1 }, 'nonsense'],
    ] as const) {
      const found = await refused('PATCH', address, patch('"1"', change), 'INPUT_INVALID')
      expect(found.detail).toContain(field)
    }
    expect((await call('GET', address, { key })).json).toMatchObject({ revision: 1 })
  })

  it('is activated, paused, activated again and archived for good', async () => {
    const { resource } = await create()
    const act = (verb: string) => `/v1/specifications/${resource.id}/${verb}`
    await refused('POST', act('pause'), { key }, 'STATE_CONFLICT')
    expect((await call('POST', act('activate'), { key })).json).toMatchObject({ state: 'active' })
    const json = { reason: 'holidays' }
    expect((await call('POST', act('pause'), { key, json })).json).toMatchObject({
      state: 'paused',
      pausedBecause: 'holidays',
    })
    expect((await call('POST', act('activate'), { key })).json).toMatchObject({
      state: 'active',
      pausedBecause: null,
    })
    expect((await call('POST', act('archive'), { key })).json).toMatchObject({ state: 'archived' })
    await refused('POST', act('activate'), { key }, 'STATE_CONFLICT')
  })

  it('shows when its schedule fires, in order', async () => {
    const { resource } = await create({ offsetMinutes: 90 })
    const address = `/v1/specifications/${resource.id}`
    const draft = await call('GET', `${address}/schedule`, { key })
    expect(draft.json).toEqual({ timeZone: 'America/New_York', upcoming: [] })
    const active = await call('POST', `${address}/activate`, { key })
    const { nextDueAt } = specificationResource.parse(active.json)
    const { json } = await call('GET', `${address}/schedule`, { key })
    const { upcoming } = json as { upcoming: { periodKey: string; to: string; dueAt: string }[] }
    expect(upcoming).toHaveLength(10)
    expect(Date.parse(upcoming[0]?.dueAt ?? '')).toBe(Date.parse(nextDueAt ?? ''))
    const instants = upcoming.map(({ dueAt }) => Date.parse(dueAt))
    expect(instants).toEqual(instants.toSorted((a, b) => a - b))
    for (const { to, dueAt } of upcoming) expect(Date.parse(dueAt) - Date.parse(to)).toBe(5_400_000)
  })

  it('is found by its external id, and listed page by page', async () => {
    const other = await testTenant(db, { name: 'Lister' })
    for (const n of [1, 2, 3])
      await call('POST', '/v1/specifications', {
        key: other.key,
        json: { ...body, externalId: `page-${n}` },
      })
    const seen: string[] = []
    let cursor: string | undefined
    do {
      const query: Record<string, string> = { limit: '2', ...(cursor ? { cursor } : {}) }
      const { json } = await call('GET', '/v1/specifications', { key: other.key, query })
      const page = json as { data: { id: string }[]; nextCursor: string | null }
      seen.push(...page.data.map(({ id }) => id))
      cursor = page.nextCursor ?? undefined
    } while (cursor)
    expect(new Set(seen).size).toBe(4)
    expect(seen).toEqual(seen.toSorted().reverse())
    const found = await call('GET', '/v1/specifications', {
      key: other.key,
      query: { externalId: 'page-2' },
    })
    expect(found.json).toMatchObject({ data: [{ body: { externalId: 'page-2' } }] })
    const twice = { key: other.key, json: { ...body, externalId: 'page-2' } }
    await refused('POST', '/v1/specifications', twice, 'NAME_TAKEN')
  })

  it('may not ask for more than was bought', async () => {
    const poor = await testTenant(db, {
      name: 'Poor',
      specification: { regions: ['national'] },
      entitlement: {
        industries: {
          'us-regulation': { deliverables: '*', regions: ['national'], links: '*' },
        },
        workflows: false,
        fastestCadence: 'weekly',
        activeSpecifications: 1,
        onDemandRunsPerMonth: 0,
      },
    })
    const sent = { key: poor.key, json: { ...body, cadence: 'daily' } }
    const found = await refused('POST', '/v1/specifications', sent, 'SCOPE_NOT_ENTITLED')
    expect(found.status).toBe(403)
    expect(found.detail).toContain('texas')
    expect(found.detail).toContain('weekly or slower')
  })
})
