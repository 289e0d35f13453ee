import { createClient } from '@almanac/client'
import { stylesheetHash } from '@almanac/documents'
import {
  changeReport,
  workflowSpecification,
  type ChangeReport,
  type RunId,
  type Specification,
} from '@almanac/domain'
import { newId } from '@almanac/domain/ids'
import { createDeterministicEngine } from '@almanac/llm'
import { pipeline, runInline, type RunFacts } from '@almanac/pipeline'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { importSample } from '../../apps/api/src/testing/import-sample.ts'
import { runQueued } from '../../apps/api/src/testing/run-pipeline.ts'
import { send, testApi } from '../../apps/api/src/testing/test-api.ts'
import { diffVersions } from '../../apps/cli/src/commands/diff.ts'
import { recordingScreen } from '../../apps/cli/src/testing/recording-screen.ts'
import {
  createMemoryWorld,
  type MemoryRun,
  type MemoryWorld,
} from '../../packages/pipeline/src/testing/memory-world.ts'
import { queueRun, testTenant } from '../support/postgres.ts'
import {
  everythingBought,
  industries,
  kinds,
  readEvidence,
  sampleEvidenceFile,
  samplePeriod,
  sampleSpecification,
} from '../support/sample.ts'

const [source = ''] = sampleSpecification().sources

/** A world that remembers its successes as the database does: the newest before a period comes first. */
function createWorld(specification: Specification = sampleSpecification()): MemoryWorld {
  const world = createMemoryWorld({
    specification,
    entitlement: everythingBought,
    evidence: readEvidence(sampleEvidenceFile, source),
    industries,
    kinds,
    engine: createDeterministicEngine(),
    now: new Date('2026-11-21T12:00:00.000Z'),
  })
  world.ports.history = {
    before: ({ from }) => {
      const earlier = [...world.runs.values()]
        .filter(({ state, facts }) => state === 'succeeded' && !facts.test)
        .map((run) => ({ run, to: windowEnd(run) }))
        .filter(({ to }) => to <= from)
        .sort((a, b) => (a.to < b.to ? 1 : -1))
      return Promise.resolve({
        history: earlier.map(({ run, to }) => ({
          runId: run.facts.id,
          periodKey: run.facts.period,
          finishedAt: to,
        })),
        previousArtifactHash: earlier[0] && artifactHash(earlier[0].run, 'json'),
      })
    },
  }
  return world
}

const windowEnd = ({ outputs }: MemoryRun): string =>
  z.object({ to: z.string() }).parse(JSON.parse(outputs.cadence ?? '{}')).to
const artifactHash = ({ conclusion }: MemoryRun, wanted: string): string =>
  conclusion?.artifacts.find(({ format }) => format === wanted)?.sha256 ?? ''

async function run(world: MemoryWorld, period: string, facts: Partial<RunFacts> = {}) {
  const made = world.accept({ period, ...facts })
  const { id: runId, tenantId } = made.facts
  await runInline(pipeline, 'retrieve', { tenantId, runId, epoch: 1 }, world.ports)
  expect(made.error).toBeNull()
  const text = (format: string) => world.blobs.get(artifactHash(made, format)) ?? ''
  const json = z
    .object({ changes: changeReport, content: z.unknown() })
    .parse(JSON.parse(text('json')))
  return { ...made, ...json, html: text('html'), markdown: text('markdown') }
}

const reported = z.object({
  sections: z.array(z.object({ items: z.array(z.object({ evidence: z.array(z.string()) })) })),
})

const counts = ({ new: added, changed, gone }: ChangeReport) => [
  ...[added.length, changed.length, gone.length],
]

/** Moves items of evidence by whole weeks, and so from one period into another. */
const weeksLater = (instant: string, weeks: number) =>
  new Date(Date.parse(instant) + weeks * 7 * 86_400_000).toISOString()

describe('the change report, inline', () => {
  it('says that a first report is the first, and what is new in the second', async () => {
    const world = createWorld()
    const first = await run(world, '2026-W39')
    expect(first.changes).toMatchObject({ comparison: 'first', against: null })
    expect(first.html).toContain('First report: there is no earlier one to compare it with.')
    const second = await run(world, samplePeriod)
    const items = reported.parse(second.content).sections.flatMap((section) => section.items)
    expect(counts(second.changes)).toEqual([items.length, 0, 0])
    expect(second.changes.against).toMatchObject({
      runId: first.facts.id,
      periodKey: '2026-W39',
      sha256: artifactHash(first, 'json'),
    })
    const line = `What is new: ${items.length} · changed: 0 · gone: 0`
    expect(second.html).toContain(`<a href="#changes">${line}</a> (against 2026-W39)`)
    expect(second.markdown).toContain(`${line} (against 2026-W39)`)
  })

  it('knows an item again that came back, with other words or the same', async () => {
    const world = createWorld()
    const first = await run(world, samplePeriod)
    // A week later the publisher brings two of the rules again, one of them under another title.
    const { sections } = reported.parse(first.content)
    const cited = sections[0]?.items.flatMap(({ evidence }) => evidence) ?? []
    const [same, other] = [...new Set(cited)].flatMap((id) =>
      world.evidence.filter((item) => item.id === id),
    )
    if (!same || !other) throw new Error('the sample is too small')
    const later = { revision: 2, hash: 'f'.repeat(64) }
    world.evidence = [same, { ...other, title: `${other.title}; Second Amendment` }].map(
      (item) => ({ ...item, ...later, publishedAt: weeksLater(item.publishedAt, 1) }),
    )
    const second = await run(world, '2026-W41')
    const { changes } = second
    expect(changes.changed.length).toBeGreaterThan(0)
    const words = changes.changed.map(({ before }) => JSON.stringify(before))
    expect(words.every((text) => text.includes(same.id) || text.includes(other.id))).toBe(true)
    expect(words.some((text) => text.includes(other.title))).toBe(true)
    expect(changes.gone.length).toBeGreaterThan(20)
    expect(changes.gone.every(({ before }) => typeof before['text'] === 'string')).toBe(true)
    expect(second.html).toContain('Second Amendment')
    expect(second.html).toMatch(/In 2026-W40: “[^”]/)
    expect(changes.against?.runId).toBe(first.facts.id)
  })

  it('is a pure function of the package: equal work gives equal bytes', async () => {
    const worlds = [createWorld(), createWorld()]
    const [id, earlier] = [newId('run'), newId('run')]
    const specificationId = newId('specification')
    const made = []
    for (const world of worlds) {
      await run(world, '2026-W39', { id: earlier, specificationId })
      made.push(await run(world, samplePeriod, { id, specificationId }))
    }
    const hashes = made.map(({ conclusion }) => conclusion?.artifacts.map(({ sha256 }) => sha256))
    expect(hashes[1]).toEqual(hashes[0])
  })

  it('does without an earlier document that was erased', async () => {
    const world = createWorld()
    const first = await run(world, '2026-W39')
    world.blobs.delete(artifactHash(first, 'json'))
    const { changes, html } = await run(world, samplePeriod)
    expect(changes).toMatchObject({ comparison: 'unreadable', new: [], gone: [] })
    expect(html).toContain('The report of 2026-W39 cannot be read any more')
  })

  it('finds a workflow unchanged that is made again, though its id follows the period', async () => {
    const world = createWorld(
      workflowSpecification.parse({
        kind: 'workflow',
        name: 'Suppliers',
        title: 'Supplier onboarding',
        purpose: 'Onboard new suppliers and audit their safety data sheets within 30 days',
        audience: 'Procurement officers',
        style: 'Plain checklist',
        cadence: 'weekly',
        timeZone: 'UTC',
        notify: 'on_change',
      }),
    )
    expect((await run(world, '2026-W39')).changes.comparison).toBe('first')
    const second = await run(world, samplePeriod)
    expect(second.changes.comparison).toBe('compared')
    expect(counts(second.changes)).toEqual([0, 0, 0])
    expect(second.conclusion?.deliveries).toEqual([])
    expect(second.html).toContain('Nothing is new: this workflow says what that of 2026-W39 said.')
  })
})

describe('notify', () => {
  const quiet = ['2026-W36', '2026-W37'] as const
  const skipped = ({ events }: Pick<MemoryRun, 'events'>) =>
    events.filter(({ type }) => type === 'run.delivery_skipped')

  it('on_change keeps a report without news, and delivers it to nobody', async () => {
    const world = createWorld(sampleSpecification({ notify: 'on_change' }))
    const first = await run(world, quiet[0])
    expect([first.conclusion?.deliveries.length, skipped(first).length]).toEqual([1, 0])
    const second = await run(world, quiet[1])
    expect(counts(second.changes)).toEqual([0, 0, 0])
    expect(second.state).toBe('succeeded')
    expect(second.conclusion?.deliveries).toEqual([])
    expect(second.conclusion?.artifacts).toHaveLength(3)
    expect(second.conclusion).not.toHaveProperty('unchangedSince')
    expect(skipped(second)).toEqual([
      {
        type: 'run.delivery_skipped',
        data: { because: 'unchanged', against: first.facts.id },
      },
    ])
    const third = await run(world, samplePeriod)
    expect([third.conclusion?.deliveries.length, skipped(third).length]).toEqual([1, 0])
    // That everything is gone is news too.
    expect((await run(world, '2026-W42')).conclusion?.deliveries).toHaveLength(1)
  })

  it('always delivers it all the same; a test run delivers nothing and says nothing of it', async () => {
    const world = createWorld(sampleSpecification({ notify: 'always' }))
    await run(world, quiet[0])
    const second = await run(world, quiet[1])
    expect(counts(second.changes)).toEqual([0, 0, 0])
    expect([second.conclusion?.deliveries.length, skipped(second).length]).toEqual([1, 0])
    const other = createWorld(sampleSpecification({ notify: 'on_change' }))
    await run(other, quiet[0])
    const test = await run(other, quiet[1], { test: true })
    expect(counts(test.changes)).toEqual([0, 0, 0])
    expect([test.conclusion?.deliveries.length, skipped(test).length]).toEqual([0, 0])
  })
})

const api = await testApi()
const { call, refused, db, url, superuser } = api
const tenant = await testTenant(db, { specification: { notify: 'on_change' } })
const other = await testTenant(db, { name: 'Other tenant' })
const { key, tenantId } = tenant
await importSample(db, tenant)

/** Runs one period after the other, as workers do. */
const periods = ['2026-W38', '2026-W39', samplePeriod]
const runs: RunId[] = []
for (const period of periods) {
  runs.push(await queueRun(db, tenant, { period }))
  await runQueued(db, tenantId)
}
const [quietRun, sameRun, fullRun] = runs
if (!quietRun || !sameRun || !fullRun) throw new Error('three runs are needed')
const versionOf = async (run: RunId) => {
  const { data } = await client.listRunVersions({ params: { id: run } })
  const [version] = data
  if (!version) throw new Error(`no version of ${run}`)
  return version
}
const client = createClient({ url, key })

describe('on Postgres', () => {
  it('on_change inserts deliveries only for news, keeps the artifacts, and says so', async () => {
    const rows = await superuser<{ id: string; deliveries: number; artifacts: number }>(
      `select r.id, (select count(*)::int from deliveries d where d.run_id = r.id) as deliveries,
         (select count(*)::int from artifacts a where a.run_id = r.id) as artifacts
       from runs r where r.tenant_id = $1 order by r.id`,
      [tenantId],
    )
    expect(rows).toEqual([
      { id: quietRun, deliveries: 1, artifacts: 3 },
      { id: sameRun, deliveries: 0, artifacts: 3 },
      { id: fullRun, deliveries: 1, artifacts: 3 },
    ])
    const { json } = await call('GET', `/v1/runs/${sameRun}/events`, {
      key,
      headers: { accept: 'application/json' },
    })
    const events = z
      .object({ data: z.array(z.object({ type: z.string(), data: z.json() })) })
      .parse(json).data
    expect(events.filter(({ type }) => type === 'run.delivery_skipped')).toEqual([
      { type: 'run.delivery_skipped', data: { because: 'unchanged', against: quietRun } },
    ])
    expect(events.at(-1)?.type).toBe('run.succeeded')
  })

  it('answers what is new in a run’s document', async () => {
    expect(await client.getRunChanges({ params: { id: quietRun } })).toMatchObject({
      comparison: 'first',
    })
    expect(await client.getRunChanges({ params: { id: sameRun } })).toMatchObject({
      comparison: 'compared',
      ...{ new: [], changed: [], gone: [] },
    })
    const changes = await client.getRunChanges({ params: { id: fullRun } })
    expect(changes.against).toMatchObject({ runId: sameRun, periodKey: '2026-W39' })
    expect(changes.new.length).toBeGreaterThan(20)
    const waiting = await queueRun(db, tenant, { period: '2026-W41' })
    const found = await refused('GET', `/v1/runs/${waiting}/changes`, { key }, 'NOT_FOUND')
    expect(found.detail).toContain(`change report of ${waiting}`)
    await runQueued(db, tenantId)
  })

  it('compares with the last document that still stands', async () => {
    await client.retractRun({ params: { id: fullRun }, body: { reason: 'a source was wrong' } })
    const next = await queueRun(db, tenant, { period: '2026-W42' })
    await runQueued(db, tenantId)
    const after41 = await client.getRunChanges({ params: { id: next } })
    expect(after41.against?.periodKey).toBe('2026-W41')
    expect(after41.against?.runId).not.toBe(fullRun)
  })
})

describe('the API of versions', () => {
  it('shows one with its metrics and relatives', async () => {
    const { id, documentId } = await versionOf(fullRun)
    const shown = await client.getVersion({ params: { id } })
    expect(shown).toMatchObject({
      ...{ id, documentId, label: '1', parents: [], depth: 0, previousId: null },
      ...{ ancestorIds: [], descendantIds: [] },
    })
    expect(shown.evaluation.score).toBe(shown.score)
    // Its document was retracted: no version of it holds.
    expect(shown.bestKnown).toBeNull()
    const same = await versionOf(sameRun)
    const standing = await client.getVersion({ params: { id: same.id } })
    expect(standing.bestKnown).toEqual({ id: same.id, effectiveScore: same.score })
  })

  it('compares any two, as JSON', async () => {
    const [from, to] = [await versionOf(sameRun), await versionOf(fullRun)]
    const compared = await client.diffVersions({ params: { id: from.id, other: to.id } })
    expect([compared.from, compared.to]).toEqual([from, to])
    expect(compared.counts.added).toBeGreaterThan(20)
    expect(compared.changes.filter(({ type }) => type === 'added')).toHaveLength(
      compared.counts.added,
    )
    const none = await client.diffVersions({ params: { id: to.id, other: to.id } })
    expect(none).toMatchObject({ scoreDelta: 0, metrics: [], changes: [] })
  })

  it('compares them for people: as a page that can run nothing, or as text', async () => {
    const [from, to] = [await versionOf(sameRun), await versionOf(fullRun)]
    const path = `/v1/versions/${from.id}/diff/${to.id}`
    const asked = [
      { headers: { accept: 'text/html,application/xhtml+xml;q=0.9' } },
      { query: { format: 'html' }, headers: { accept: 'application/json' } },
    ]
    for (const one of asked) {
      const page = await call('GET', path, { key, ...one })
      expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8')
      const policy = page.headers.get('content-security-policy') ?? ''
      expect(policy).toContain(`default-src 'none'`)
      expect(policy).toContain(`style-src '${stylesheetHash}'`)
      expect(policy).toContain('sandbox allow-popups')
      expect(page.text).toMatch(/^<!doctype html>/)
      expect(page.text).toContain('<section class="diff">')
      expect(page.text).not.toMatch(/<script|<a |<img|style=/)
    }
    const text = await call('GET', path, { key, headers: { accept: 'text/plain' } })
    expect(text.headers.get('content-type')).toBe('text/plain; charset=utf-8')
    expect(text.text).toMatch(/^Version 1 of doc_\w+ to version 1 of doc_\w+\nScore /)
    expect(text.text).toMatch(/^\+ item item:i[0-9a-f]{12} in section:/m)
    for (const headers of [{}, { accept: '*/*' }, { accept: 'application/json' }])
      expect((await call('GET', path, { key, headers })).json).toMatchObject({ from })
    const wrong = await send(url, 'GET', `${path}?format=pdf`, { key })
    expect(wrong.status).toBe(422)
  })

  it('shows another tenant nothing of it', async () => {
    const { id } = await versionOf(fullRun)
    const foreign = { key: other.key }
    for (const path of [
      `/v1/versions/${id}`,
      `/v1/versions/${id}/diff/${id}`,
      `/v1/runs/${fullRun}/changes`,
      `/v1/runs/${fullRun}/versions`,
    ])
      expect((await refused('GET', path, foreign, 'NOT_FOUND')).status).toBe(404)
    const own = await queueRun(db, other, { period: '2026-W38' })
    await runQueued(db, other.tenantId)
    const [version] = (
      await createClient({ url, key: other.key }).listRunVersions({ params: { id: own } })
    ).data
    for (const path of [
      `/v1/versions/${version?.id}/diff/${id}`,
      `/v1/versions/${id}/diff/${version?.id}`,
    ])
      await refused('GET', path, foreign, 'NOT_FOUND')
  })

  it('is what `almanac diff` shows', async () => {
    const screen = recordingScreen()
    const { said, results } = screen
    const [from, to] = [(await versionOf(sameRun)).id, (await versionOf(fullRun)).id]
    await diffVersions(client, screen, { from, to })
    await diffVersions(client, screen, { from, to, html: true })
    expect(said[0]).toMatch(/^Version 1 of doc_/)
    expect(said[1]).toMatch(/^<!doctype html>/)
    expect(results[0]).toMatchObject({ from: { id: from }, to: { id: to } })
  })
})
