import { createClient, type Client } from '@almanac/client'
import { stageNames, type CheckpointResource, type RunId, type TenantId } from '@almanac/domain'
import { createQueueBackend } from '@almanac/queue'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { almanac, until, type AlmanacProcess } from '../support/almanac-process.ts'
import { testDatabase } from '../support/postgres.ts'
import { expectExportHolds } from './audit-of.ts'
import { judgeRoot } from './judge-root.ts'
import { askForReports, expectVerified } from './paid-system.ts'
import { refinement } from './refined-world.ts'
import { openRefiningSystem } from './refining-system.ts'
import { rootFacts, type RootFacts } from './root-facts.ts'

/**
 * Refinements ask people: each reaches 80 % of its depth with the second generation, waits without job,
 * worker or hold, and goes on with the answer that it gets, or with none. With real processes over HTTP.
 */
const test = await testDatabase()
const system = await openRefiningSystem(test, undefined)
const names = ['approved', 'denied', 'expired', 'linked', 'cancelled'] as const
type Name = (typeof names)[number]

interface Person {
  principalId: string
  client: Client
}

let process: AlmanacProcess
let tenantId: TenantId
/** Who asks for the runs, and another person who may answer. */
let asking: Person
let other: Person
const roots = {} as Record<Name, { runId: RunId; checkpoint: CheckpointResource }>
const approval = { decision: 'approve', reason: 'two sections lack most items' } as const

beforeAll(async () => {
  process = await system.start('sk-simulated-asks')
  const { client } = process
  const { tenantId: tenant, principalId } = await client.whoAmI()
  tenantId = tenant
  asking = { principalId, client }
  other = await anotherPerson()
  const runs = await askForReports(client, names.length, {
    name: 'asks',
    checkpointPolicy: 'human',
    refinement: {
      ...refinement,
      maxDepth: 2,
      termination: [{ type: 'target_score', score: 1 }],
    },
  })
  const pending = await until(async () => {
    const { data } = await client.listCheckpoints({ query: { state: 'pending' } })
    return data.length === names.length ? data : undefined
  })
  // The sample's run, which the first start makes, is over too.
  await until(async () => {
    const moving = await test.superuser(`select from runs where state in ('queued', 'running')`)
    return moving.length === 0 || undefined
  })
  for (const [i, name] of names.entries()) {
    const runId = runs[i]?.id ?? ''
    const checkpoint = pending.find((one) => one.runId === runId)
    if (!checkpoint) throw new Error(`${runId} does not wait`)
    roots[name] = { runId: checkpoint.runId, checkpoint }
  }
})
afterAll(() => system.close())

const madeKey = z.object({ principalId: z.string(), secret: z.string() })

/** A person whose key an operator makes. */
async function anotherPerson(): Promise<Person> {
  const { stdout, stderr } = await almanac(
    [
      ...['key', 'create', tenantId, '--person', 'Other', '--json'],
      ...['--scope', 'runs:read', 'checkpoint:approve'],
    ],
    { env: system.env },
  )
  expect(stderr).toBe('')
  const { principalId, secret } = madeKey.parse(JSON.parse(stdout))
  return { principalId, client: createClient({ url: process.url, key: secret }) }
}

const parkedAt = async ({ runId }: { runId: RunId }) => {
  const [run] = await test.superuser(
    'select state, park_reason as reason, wake_at as until from runs where id = $1',
    [runId],
  )
  return run
}

const decisionOf = async (name: Name) => {
  const [row] = await test.superuser(
    `select c.decision, c.decided_by as by, (select count(*)::integer from generations g
        where g.checkpoint_id = c.id) as generations from checkpoints c where c.id = $1`,
    [roots[name].checkpoint.id],
  )
  return row
}

const ended = (name: Name): Promise<RootFacts> =>
  judgeRoot(test, roots[name].runId, (facts) => Promise.resolve(system.requestsOf(facts)))

/** The generation that the best version is of, and how many there were. */
const outcomeOf = ({ stopReason, versions, made, generations }: RootFacts) => ({
  stopReason,
  best: versions.find(({ id }) => id === made)?.depth,
  generations: generations.length,
})

describe('a checkpoint for people', () => {
  it('is waited at without job, worker or hold', async ({ onTestFinished }) => {
    for (const name of names) {
      const { checkpoint } = roots[name]
      expect(checkpoint).toMatchObject({ generation: 2, requestedBy: asking.principalId })
      expect(await parkedAt(roots[name])).toEqual({
        ...{ state: 'parked', reason: 'checkpoint', until: new Date(checkpoint.expiresAt) },
      })
    }
    const [held] = await test.superuser(
      `select (select count(*)::integer from runs where state = 'running') as running,
        (select count(*)::integer from runs where state = 'parked' and mark_worker_id is not null) as marked,
        (select count(*)::integer from variants where state = 'open') as variants,
        (select count(*)::integer from engine_calls where state in ('booked', 'open', 'unknown')) as calls,
        (select coalesce(sum(held_micro_usd + held_tokens), 0)::integer from budgets) as held`,
    )
    expect(held).toEqual({ running: 0, marked: 0, variants: 0, calls: 0, held: 0 })
    const queue = await createQueueBackend({ databaseUrl: test.url, onError: () => undefined })
    onTestFinished(() => queue.close())
    // The job that brought a run here ends just after the run was parked.
    await until(async () => {
      const depths = await Promise.all([...stageNames, 'variant' as const].map(queue.depth))
      const jobs = depths.flatMap((depth) => Object.values(depth))
      return jobs.every((count) => count === 0) || undefined
    })
  })

  it('is approved by another principal than who asked, once, for one generation', async () => {
    const { id } = roots.approved.checkpoint
    const decide = ({ client }: Person) =>
      client.decideCheckpoint({ params: { id }, body: approval })
    await expect(decide(asking)).rejects.toMatchObject({ code: 'CHECKPOINT_OWN_REQUEST' })
    expect(await parkedAt(roots.approved)).toMatchObject({ reason: 'checkpoint' })
    expect(await decide(other)).toMatchObject({ decision: 'approved' })
    await expect(decide(other)).rejects.toMatchObject({ code: 'CHECKPOINT_CLOSED' })
    expect(outcomeOf(await ended('approved'))).toEqual({
      ...{ stopReason: 'target', best: 2, generations: 2 },
    })
    expect(await decisionOf('approved')).toEqual({
      ...{ decision: 'approved', by: other.principalId, generations: 1 },
    })
  })

  it('is denied, and the best version so far goes on', async () => {
    await other.client.decideCheckpoint({
      params: { id: roots.denied.checkpoint.id },
      body: { decision: 'deny', reason: 'good enough' },
    })
    expect(outcomeOf(await ended('denied'))).toEqual({
      ...{ stopReason: 'denial', best: 1, generations: 1 },
    })
  })

  it('expires, and the best version so far goes on', async () => {
    const { runId, checkpoint } = roots.expired
    await test.superuser(
      `with sooner as (update checkpoints set expires_at = now() + interval '1 s' where id = $1
          returning run_id, expires_at)
        update runs r set wake_at = s.expires_at from sooner s where r.id = s.run_id`,
      [checkpoint.id],
    )
    expect(outcomeOf(await ended('expired'))).toEqual({
      ...{ stopReason: 'expiry', best: 1, generations: 1 },
    })
    expect(await decisionOf('expired')).toEqual({
      ...{ decision: 'expired', by: 'system', generations: 0 },
    })
    const late = other.client.decideCheckpoint({ params: { id: checkpoint.id }, body: approval })
    await expect(late).rejects.toMatchObject({ code: 'CHECKPOINT_CLOSED' })
    expect((await rootFacts(test, runId)).state).toBe('succeeded')
  })

  it('is reminded of when half its time is over, and decided at a signed link, never by looking', async () => {
    const { checkpoint } = roots.linked
    await test.superuser(
      `update checkpoints set requested_at = now() - interval '3 h' where id = $1`,
      [checkpoint.id],
    )
    await until(async () => {
      const events = await test.superuser(
        `select from run_events where run_id = $1 and type = 'checkpoint.reminded'`,
        [checkpoint.runId],
      )
      return events.length === 1 || undefined
    })
    const made = await almanac(
      [
        ...['checkpoint', 'link', checkpoint.id, '--data', process.dataDir],
        ...['--tenant', tenantId, '--principal', other.principalId],
      ],
      { env: { ...system.env, ALMANAC_URL: process.url } },
    )
    const [address = ''] = made.stdout.split('\n')
    expect(address, made.stderr).toContain(`${process.url}/checkpoints/${checkpoint.id}?token=`)

    for (const method of ['GET', 'HEAD', 'GET']) {
      const page = await fetch(address, { method })
      expect(page.status).toBe(200)
      if (method === 'GET') expect(await page.text()).toContain('Approve one more generation')
    }
    expect(await decisionOf('linked')).toEqual({ decision: null, by: null, generations: 0 })
    expect(await parkedAt(roots.linked)).toMatchObject({ reason: 'checkpoint' })

    const page = new URL(address)
    const send = () =>
      fetch(`${page.origin}${page.pathname}`, {
        method: 'POST',
        body: new URLSearchParams({
          token: page.searchParams.get('token') ?? '',
          ...approval,
        }),
      })
    const answered = await send()
    expect(await answered.text()).toContain('One more generation may be made')
    expect(answered.status).toBe(200)
    expect((await send()).status).toBe(409)
    expect(outcomeOf(await ended('linked'))).toEqual({
      ...{ stopReason: 'target', best: 2, generations: 2 },
    })
    expect(await decisionOf('linked')).toEqual({
      ...{ decision: 'approved', by: other.principalId, generations: 1 },
    })
  })

  it('is cancelled with its run, and nobody can answer it then', async () => {
    const { runId, checkpoint } = roots.cancelled
    await asking.client.cancelRun({ params: { id: runId } })
    const facts = await rootFacts(test, runId)
    expect({ state: facts.state, made: facts.made }).toEqual({ state: 'cancelled', made: null })
    expect(await decisionOf('cancelled')).toEqual({
      ...{ decision: 'cancelled', by: asking.principalId, generations: 0 },
    })
    const late = other.client.decideCheckpoint({ params: { id: checkpoint.id }, body: approval })
    await expect(late).rejects.toMatchObject({ code: 'CHECKPOINT_CLOSED' })
  })

  it('leaves rows that break no promise, and an audit that proves all of it', async () => {
    await system.simulator.log.idle()
    expect(system.simulator.log.paidTwice()).toEqual([])
    const refused = await test.superuser(
      `select detail::jsonb ->> 'because' as because from audit_events
        where action = 'checkpoint.answer_refused' order by at, id`,
    )
    expect(refused.map(({ because }) => because)).toEqual([
      ...['own_request', 'reused', 'expired', 'reused', 'stale'],
    ])
    await expectVerified(system)
    await expectExportHolds(system, process.dataDir, names.length)
  })
})
