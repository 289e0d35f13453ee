import { createKey, createOperations, endRoot, prepareCall, proveRoot } from '@almanac/db'
import { keyScopes, type PrincipalId } from '@almanac/domain'
import { newId } from '@almanac/domain/ids'
import { parse, type DefaultTreeAdapterTypes as Tree } from 'parse5'
import { beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import {
  createRefiner,
  type RefinedRun,
} from '../../../packages/db/src/refinement/testing/refined-run.ts'
import { createDriver } from '../../../packages/db/src/testing/drive-run.ts'
import { checkpointLink, type LinkFacts } from './checkpoint-page/checkpoint-link.ts'
import { testApi } from './testing/test-api.ts'

const linkKeys = [Buffer.alloc(32, 7)]
const { call, refused, db, superuser } = await testApi({ linkKeys })
const driver = createDriver(db)
const refiner = createRefiner(db, driver)

beforeAll(async () => {
  const process = { host: 'test', pid: 1, version: '0' }
  await driver.operations.leases.register({ id: driver.workerId, ...process }, 3_600_000)
})

/** A principal of a root's tenant, and a key of his with these scopes. */
async function person(
  { tenant: { tenantId } }: RefinedRun,
  scopes: readonly string[],
  name = 'Eve',
) {
  const id = newId('principal')
  const secret = await db.withTenant(tenantId, async (trx) => {
    await trx
      .insertInto('principals')
      .values({ tenant_id: tenantId, id, kind: 'person', name })
      .execute()
    const named = keyScopes.filter((scope) => scopes.includes(scope))
    return (await createKey(trx, tenantId, id, { principalId: id, name: 'test', scopes: named }))
      .secret
  })
  return { id, key: secret }
}

/** A root that waits: its first generation would be the last one allowed. */
async function waiting(tenant?: RefinedRun['tenant']) {
  const root = await refiner.open({ limits: { maxDepth: 1 }, ...(tenant ? { tenant } : {}) })
  const prepared = await prepareCall(db, root.claim, refiner.wanted(root))
  if (prepared.kind !== 'waiting') throw new Error(prepared.kind)
  const other = await person(root, ['runs:read', 'runs:write', 'checkpoint:approve'])
  return {
    root,
    id: prepared.checkpointId,
    other,
    address: `/v1/checkpoints/${prepared.checkpointId}`,
  }
}

const approve = { decision: 'approve', reason: 'two findings are open' }
const shown = z.object({
  state: z.string(),
  decision: z.nullable(z.string()),
  decidedBy: z.nullable(z.string()),
  limitsHash: z.string(),
  expiresAt: z.string(),
  limits: z.object({ maxDepth: z.number() }),
})
const ids = (json: unknown) =>
  z
    .object({ data: z.array(z.object({ id: z.string() })) })
    .parse(json)
    .data.map(({ id }) => id)
const refusals = ({ claim }: RefinedRun) =>
  superuser<{ actor: string; because: string }>(
    `select actor, detail::jsonb ->> 'because' as because from audit_events
      where subject = $1 and action = 'checkpoint.answer_refused' order by id`,
    [claim.runId],
  )
const proofOf = async ({ tenant: { tenantId }, claim }: RefinedRun) => {
  while ((await driver.operations.chain.link(1_000)) > 0);
  return db.withTenant(tenantId, (trx) => proveRoot(trx, tenantId, claim.runId))
}
const runOut = (id: string) =>
  superuser(
    `update checkpoints set requested_at = now() - interval '2 h', expires_at = now() - interval '1 h' where id = $1`,
    [id],
  )

describe('checkpoints', () => {
  it('are listed by state, specification and run, and shown with what they cost', async () => {
    const { root, id, other, address } = await waiting()
    const key = other.key
    const list = async (query: Record<string, string>) =>
      ids((await call('GET', '/v1/checkpoints', { key, query })).json)
    expect(await list({})).toEqual([id])
    expect(await list({ state: 'pending', runId: root.claim.runId })).toEqual([id])
    expect(await list({ state: 'decided' })).toEqual([])
    expect(await list({ runId: newId('run') })).toEqual([])
    expect(await list({ specificationId: root.tenant.specificationId })).toEqual([id])
    expect((await call('GET', address, { key })).json).toMatchObject({
      id,
      state: 'pending',
      generation: 1,
      children: 3,
      estimate: { microUsd: 3_000, tokens: 300 },
      spent: { microUsd: 0, tokens: 0 },
      best: { score: 0.5 },
      reached: [{ limit: 'depth', after: 1, allowed: 1 }],
      limits: { maxDepth: 1 },
    })
    await runOut(id)
    expect(await list({ state: 'pending' })).toEqual([])
    expect(await list({ state: 'expired' })).toEqual([id])
  })

  it('are approved once by somebody else, told of as events, and the run goes on', async () => {
    const { root, id, other, address } = await waiting()
    const own = { key: root.tenant.key, json: approve }
    await refused('POST', `${address}/decision`, own, 'CHECKPOINT_OWN_REQUEST')
    const sent = { key: other.key, json: approve }
    const decided = await call('POST', `${address}/decision`, sent)
    expect(decided.status).toBe(200)
    expect(decided.json).toMatchObject({
      state: 'decided',
      decision: 'approved',
      decidedBy: other.id,
    })
    await refused('POST', `${address}/decision`, sent, 'CHECKPOINT_CLOSED')
    expect(await refusals(root)).toEqual([
      { actor: root.tenant.principalId, because: 'own_request' },
      { actor: other.id, because: 'reused' },
    ])
    expect(await refiner.stateOf(root.tenant, root.claim.runId)).toBe('queued')
    const events = await call('GET', `/v1/runs/${root.claim.runId}/events`, {
      key: other.key,
      headers: { accept: 'application/json' },
    })
    expect(events.text).toContain('"checkpoint.requested"')
    expect(events.text).toContain(`"data":{"decision":"approved","checkpointId":"${id}"}`)
  })

  it('are decided by who asked for them where the tenant allows that', async () => {
    const { root, address } = await waiting()
    await superuser('update tenants set allow_self_approval = true where id = $1', [
      root.tenant.tenantId,
    ])
    const decided = await call('POST', `${address}/decision`, {
      key: root.tenant.key,
      json: approve,
    })
    expect(decided.json).toMatchObject({
      decision: 'approved',
      decidedBy: root.tenant.principalId,
    })
  })

  it('that are stale, expired, foreign or not his to answer are refused and recorded', async () => {
    const { root, id, other, address } = await waiting()
    const decide = (key: string, over = {}) => ({ key, json: { ...approve, ...over } })
    const stale = decide(other.key, { snapshotHash: 'another' })
    await refused('POST', `${address}/decision`, stale, 'CHECKPOINT_CLOSED')
    const reader = await person(root, ['runs:read'])
    await refused('POST', `${address}/decision`, decide(reader.key), 'SCOPE_MISSING')
    const foreign = await waiting()
    await refused('POST', `${address}/decision`, decide(foreign.other.key), 'NOT_FOUND')
    await runOut(id)
    await refused('POST', `${address}/decision`, decide(other.key), 'CHECKPOINT_CLOSED')
    expect((await refusals(root)).map(({ because }) => because)).toEqual([
      'stale',
      'not_allowed',
      'expired',
    ])
  })

  it('are lent to one who then may decide this one, and no other', async () => {
    const { root, id, other, address } = await waiting()
    const second = await waiting(root.tenant)
    const borrower = await person(root, ['runs:read'])
    const json = { principalId: borrower.id }
    await refused('POST', `${address}/lend`, { key: borrower.key, json }, 'SCOPE_MISSING')
    const nobody = { key: other.key, json: { principalId: newId('principal') } }
    await refused('POST', `${address}/lend`, nobody, 'NOT_FOUND')
    expect((await call('POST', `${address}/lend`, { key: other.key, json })).json).toEqual({
      checkpointId: id,
      principalId: borrower.id,
      lentBy: other.id,
    })
    const sent = { key: borrower.key, json: { ...approve, decision: 'deny' } }
    await refused('POST', `${second.address}/decision`, sent, 'SCOPE_MISSING')
    expect((await call('POST', `${address}/decision`, sent)).json).toMatchObject({
      decision: 'denied',
      decidedBy: borrower.id,
    })
    const lent = await superuser(
      `select actor from audit_events where subject = $1 and action = 'checkpoint.lent'`,
      [root.claim.runId],
    )
    expect(lent).toEqual([{ actor: other.id }])
  })

  it('let limits be raised instead, with a reason; never lowered', async () => {
    const { root, other, address } = await waiting()
    const decide = (limits: object, decision = 'approve') => ({
      key: other.key,
      json: { decision, reason: 'it still gains', limits },
    })
    const path = `${address}/decision`
    await refused('POST', path, decide({ maxDepth: 0 }), 'INPUT_INVALID')
    await refused('POST', path, decide({}), 'INPUT_INVALID')
    await refused('POST', path, decide({ maxDepth: 4 }, 'deny'), 'INPUT_INVALID')
    const raised = shown.parse((await call('POST', path, decide({ maxDepth: 4 }))).json)
    expect(raised).toMatchObject({ decision: 'voided', limits: { maxDepth: 4 } })
    await refused('POST', path, decide({ maxDepth: 5 }), 'CHECKPOINT_CLOSED')
    const changes = await superuser<{ actor: string; reason: string }>(
      `select actor, detail::jsonb ->> 'reason' as reason from audit_events
        where subject = $1 and action = 'refinement.limits_changed'`,
      [root.claim.runId],
    )
    expect(changes).toEqual([{ actor: other.id, reason: 'it still gains' }])
  })
})

describe('a decision about many', () => {
  const preview = z.object({
    count: z.number(),
    token: z.string(),
    checkpointIds: z.array(z.string()),
  })

  it('is previewed with its cost, and then decides exactly what was shown', async () => {
    const first = await waiting()
    const second = await waiting(first.root.tenant)
    const key = first.other.key
    const path = '/v1/checkpoints/decisions'
    const looked = await call('POST', path, { key, json: { filter: {} } })
    expect(looked.json).toMatchObject({
      kind: 'preview',
      count: 2,
      estimate: { microUsd: 6_000, tokens: 600 },
      checkpointIds: [first.id, second.id],
    })
    const { token } = preview.parse(looked.json)
    // One comes later, and one is answered meanwhile.
    const later = await waiting(first.root.tenant)
    await call('POST', `${first.address}/decision`, { key, json: { ...approve, decision: 'deny' } })
    const done = await call('POST', path, { key, json: { token, ...approve } })
    expect(done.json).toMatchObject({
      kind: 'decided',
      decided: 1,
      refused: 1,
      results: [
        { id: first.id, outcome: 'refused', code: 'CHECKPOINT_CLOSED' },
        { id: second.id, outcome: 'approved', code: null },
      ],
    })
    const { json } = await call('GET', later.address, { key })
    expect(shown.parse(json).state).toBe('pending')
    for (const other of [later.other.key, (await waiting()).other.key])
      await refused('POST', path, { key: other, json: { token, ...approve } }, 'INPUT_INVALID')
    const changed = `${token.slice(0, -3)}AAA`
    await refused('POST', path, { key, json: { token: changed, ...approve } }, 'INPUT_INVALID')
    await refused('POST', path, { key, json: { token } }, 'INPUT_INVALID')
    await refused('POST', path, { key, json: { token, filter: {}, ...approve } }, 'INPUT_INVALID')
    await refused('POST', path, { key, json: {} }, 'INPUT_INVALID')
  })
})

describe('rolling back', () => {
  it('lets an earlier version of the same root go on, and no other', async () => {
    const { root, other } = await waiting()
    const [version] = await superuser<{ id: string }>('select id from versions where run_id = $1', [
      root.claim.runId,
    ])
    const path = `/v1/runs/${root.claim.runId}/rollback`
    const json = { versionId: version?.id, reason: 'the second lost a section' }
    const unknown = { key: other.key, json: { ...json, versionId: newId('version') } }
    await refused('POST', path, unknown, 'NOT_FOUND')
    expect((await call('POST', path, { key: other.key, json })).json).toEqual({
      runId: root.claim.runId,
      versionId: version?.id,
    })
    expect(await refiner.stateOf(root.tenant, root.claim.runId)).toBe('queued')
    const acts = await superuser(
      'select actor from audit_events where subject = $1 and action = $2',
      [root.claim.runId, 'refinement.rolled_back'],
    )
    expect(acts).toEqual([{ actor: other.id }])
  })
})

describe('a refused attempt is recorded, and leaves nothing else', () => {
  /** What the audit has of such attempts on a subject, with what they might have left. */
  const recorded = async (subject: string, runId = subject) => {
    const attempts = await superuser<{ actor: string; what: string; because: string }>(
      `select actor, detail::jsonb ->> 'attempt' as what, detail::jsonb ->> 'because' as because
      from audit_events where subject = $1 and action = 'refinement.attempt_refused' order by id`,
      [subject],
    )
    const [left] = await superuser(
      `select (select count(*)::int from checkpoint_loans l join checkpoints c on c.id = l.checkpoint_id
          where c.run_id = $1) as loans,
        (select count(*)::int from audit_events where subject = $1 and action in ('checkpoint.lent',
          'refinement.limits_changed', 'refinement.rolled_back')) as done,
        (select limits from refinement_roots where run_id = $1) as limits,
        (select count(*)::int from idempotency_keys where key = $1) as keys`,
      [runId],
    )
    return { attempts, left }
  }
  const refusals = (of: { attempts: { because: string }[] }) =>
    of.attempts.map(({ because }) => because)

  it('to lend: without the scope, one’s own request, to nobody, foreign, or too late', async () => {
    const { root, id, other, address } = await waiting()
    const { runId } = root.claim
    const before = await recorded(runId)
    const friend = await person(root, ['runs:read'])
    const lend = (key: string, principalId = friend.id) => ({
      key,
      json: { principalId },
      headers: { 'idempotency-key': runId },
    })
    const path = `${address}/lend`
    await refused('POST', path, lend(friend.key), 'SCOPE_MISSING')
    await refused('POST', path, lend(root.tenant.key), 'CHECKPOINT_OWN_REQUEST')
    await refused('POST', path, lend(other.key, newId('principal')), 'NOT_FOUND')
    await call('POST', `${address}/decision`, { key: other.key, json: approve })
    await refused('POST', path, lend(other.key), 'CHECKPOINT_CLOSED')
    const after = await recorded(runId)
    expect(refusals(after)).toEqual([
      'SCOPE_MISSING',
      'CHECKPOINT_OWN_REQUEST',
      'NOT_FOUND',
      'CHECKPOINT_CLOSED',
    ])
    expect(after.attempts[1]).toMatchObject({ actor: root.tenant.principalId, what: 'lend' })
    expect(after.left).toEqual(before.left)
    const foreign = await waiting()
    await refused('POST', path, lend(foreign.other.key), 'NOT_FOUND')
    // It is an act of the one who tried, in his own tenant, and no act of the root.
    expect((await recorded(id)).attempts).toMatchObject([{ actor: foreign.other.id }])
    expect((await recorded(runId)).attempts).toHaveLength(4)
    expect(await proofOf(root)).toMatchObject({ holds: true, problems: [] })
  })

  it('to raise limits: one’s own, below what they are, above what may be, without the scope', async () => {
    const { root, other, address } = await waiting()
    const { runId } = root.claim
    const before = await recorded(runId)
    const raise = (key: string, limits: object) => ({ key, json: { ...approve, limits } })
    const path = `${address}/decision`
    const reader = await person(root, ['runs:read'])
    const more = { maxDepth: 2 }
    await refused('POST', path, raise(root.tenant.key, more), 'CHECKPOINT_OWN_REQUEST')
    await refused('POST', path, raise(reader.key, more), 'SCOPE_MISSING')
    const lower = await refused('POST', path, raise(other.key, { tokens: 9 }), 'INPUT_INVALID')
    expect(lower.detail).toContain('must be at least')
    const higher = await refused('POST', path, raise(other.key, { maxDepth: 11 }), 'INPUT_INVALID')
    expect(higher.detail).toContain('a whole number from 1 to 10')
    const after = await recorded(runId)
    expect(refusals(after)).toEqual([
      'CHECKPOINT_OWN_REQUEST',
      'SCOPE_MISSING',
      'INPUT_INVALID',
      'INPUT_INVALID',
    ])
    expect(new Set(after.attempts.map(({ what }) => what))).toEqual(new Set(['raise_limits']))
    expect(after.left).toEqual(before.left)
    expect(await proofOf(root)).toMatchObject({ holds: true, problems: [] })
  })

  it('to roll back: without the scope, to nothing, of a run that is none, or after the end', async () => {
    const { root, other, address } = await waiting()
    const { runId } = root.claim
    const before = await recorded(runId)
    const [version] = await superuser<{ id: string }>('select id from versions where run_id = $1', [
      runId,
    ])
    const roll = (key: string, versionId = version?.id) => ({
      key,
      json: { versionId, reason: 'better' },
    })
    const path = `/v1/runs/${runId}/rollback`
    const reader = await person(root, ['runs:read'])
    await refused('POST', path, roll(reader.key), 'SCOPE_MISSING')
    await refused('POST', path, roll(other.key, newId('version')), 'NOT_FOUND')
    const nowhere = newId('run')
    await refused('POST', `/v1/runs/${nowhere}/rollback`, roll(other.key), 'NOT_FOUND')
    expect((await recorded(nowhere, runId)).attempts).toHaveLength(1)
    await call('POST', `${address}/decision`, {
      key: other.key,
      json: { ...approve, decision: 'deny' },
    })
    await endRoot(db, await refiner.comeBack(root), 'denial', [])
    await refused('POST', path, roll(other.key), 'STATE_CONFLICT')
    const after = await recorded(runId)
    expect(refusals(after)).toEqual(['SCOPE_MISSING', 'NOT_FOUND', 'STATE_CONFLICT'])
    expect(after.left).toEqual(before.left)
    expect(await proofOf(root)).toMatchObject({ holds: true, problems: [] })
  })
})

describe('the page of a signed link', () => {
  async function linked(over: Partial<LinkFacts> = {}, principal?: PrincipalId) {
    const found = await waiting()
    const detail = shown.parse((await call('GET', found.address, { key: found.other.key })).json)
    const facts: LinkFacts = {
      tenantId: found.root.tenant.tenantId,
      checkpointId: found.id,
      principalId: principal ?? found.other.id,
      expiresAt: detail.expiresAt,
      limitsHash: detail.limitsHash,
      ...over,
    }
    const link = checkpointLink(linkKeys, facts)
    const token = new URL(link, 'http://x').searchParams.get('token') ?? ''
    return { ...found, link, token, path: `/checkpoints/${found.id}`, facts }
  }
  const post = (path: string, form: Record<string, string>) =>
    call('POST', path, {
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams(form).toString(),
    })
  const stateOf = async ({ address, other }: Awaited<ReturnType<typeof waiting>>) =>
    shown.parse((await call('GET', address, { key: other.key })).json)

  it('shows what it is about, decides nothing when looked at, and runs nothing', async () => {
    const found = await linked()
    await superuser('update principals set name = $1 where id = $2', [
      `<script>alert(1)</script>"'&`,
      found.other.id,
    ])
    const { status, headers, text } = await call('GET', found.link)
    expect(status).toBe(200)
    const policy = headers.get('content-security-policy') ?? ''
    expect(policy).toContain("default-src 'none'")
    expect(policy).not.toContain('script-src')
    expect(policy).toContain("frame-ancestors 'none'")
    expect(headers.get('cache-control')).toBe('no-store')
    expect(headers.get('referrer-policy')).toBe('no-referrer')
    const all = elements(parse(text))
    const named = (name: string) => all.filter((element) => element.tagName === name)
    for (const name of ['script', 'iframe', 'object', 'embed', 'img', 'svg', 'style'])
      expect(named(name)).toEqual([])
    for (const { attrs } of all)
      expect(attrs.filter(({ name }) => name.startsWith('on') || name === 'style')).toEqual([])
    expect(attr(named('html')[0], 'lang')).toBe('en')
    expect(named('main')).toHaveLength(1)
    expect(named('h1')).toHaveLength(1)
    expect(named('title')).toHaveLength(1)
    expect(named('th').every((cell) => attr(cell, 'scope') === 'row')).toBe(true)
    const inputs = named('input').filter((input) => attr(input, 'type') !== 'hidden')
    const labels = named('label').map((label) => attr(label, 'for'))
    expect(inputs.map((input) => attr(input, 'id'))).toEqual(labels)
    expect(named('form').map((form) => attr(form, 'method'))).toEqual(['post'])
    expect(named('button').map((button) => attr(button, 'value'))).toEqual(['approve', 'deny'])
    expect(text).toContain('&lt;script&gt;')
    expect(text).toContain('0.003000 and 300 tokens')
    expect(text).toContain(found.facts.expiresAt)
    expect((await stateOf(found)).state).toBe('pending')
  })

  it('takes one decision, with a reason', async () => {
    const found = await linked()
    const { token, path } = found
    const blank = await post(path, { token, decision: 'approve', reason: ' ' })
    expect(blank.status).toBe(422)
    expect(blank.text).toContain('role="alert"')
    expect((await stateOf(found)).state).toBe('pending')
    const done = await post(path, { token, decision: 'approve', reason: 'worth it' })
    expect(done.status).toBe(200)
    expect(await stateOf(found)).toMatchObject({ decision: 'approved', decidedBy: found.other.id })
    const again = await post(path, { token, decision: 'deny', reason: 'no' })
    expect(again.status).toBe(409)
    const looked = await call('GET', found.link)
    expect(looked.text).toContain('Nothing to decide')
    expect(looked.text).not.toContain('<form')
  })

  it('refuses what was not signed, or is for another checkpoint', async () => {
    const [found, other] = [await linked(), await linked()]
    const [payload = '', signature = ''] = found.token.split('.')
    const facts = z
      .record(z.string(), z.json())
      .parse(JSON.parse(Buffer.from(payload, 'base64url').toString()))
    const forged = Buffer.from(
      JSON.stringify({ ...facts, principalId: found.root.tenant.principalId }),
    ).toString('base64url')
    for (const token of [
      '',
      'x',
      other.token,
      `${forged}.${signature}`,
      `${payload}.${'A'.repeat(43)}`,
    ]) {
      const looked = await call('GET', `${found.path}?token=${token}`)
      expect(looked.status).toBe(403)
      expect(looked.headers.get('content-type')).toContain('text/html')
      const sent = await post(found.path, { token, decision: 'approve', reason: 'worth it' })
      expect(sent.status).toBe(403)
    }
    expect((await call('GET', found.path)).status).toBe(403)
    const strange = checkpointLink([Buffer.alloc(32, 8)], found.facts)
    expect((await call('GET', strange)).status).toBe(403)
    expect((await stateOf(found)).state).toBe('pending')
  })

  it('lets nobody in who asked himself, has lost the right, or comes too late', async () => {
    const own = await linked()
    const mine = checkpointLink(linkKeys, {
      ...own.facts,
      principalId: own.root.tenant.principalId,
    })
    const token = new URL(mine, 'http://x').searchParams.get('token') ?? ''
    const form = { decision: 'approve', reason: 'worth it' }
    expect((await post(own.path, { ...form, token })).status).toBe(403)
    await superuser('update keys set revoked_at = now() where principal_id = $1', [own.other.id])
    expect((await call('GET', own.link)).status).toBe(403)
    expect((await post(own.path, { ...form, token: own.token })).status).toBe(403)
    expect((await refusals(own.root)).map(({ because }) => because)).toEqual([
      'own_request',
      'not_allowed',
    ])
    const late = await linked()
    await runOut(late.id)
    expect((await call('GET', late.link)).text).toContain('expired')
    expect((await post(late.path, { ...form, token: late.token })).status).toBe(409)
  })
})

it('sends reminders and expiries as events of the run', async () => {
  const { root, id, other } = await waiting()
  await superuser(
    `update checkpoints set requested_at = now() - interval '13 h', expires_at = now() + interval '11 h' where id = $1`,
    [id],
  )
  const { sweep } = createOperations(db)
  await sweep.remindCheckpoints()
  await runOut(id)
  await sweep.expireCheckpoints()
  const { text } = await call('GET', `/v1/runs/${root.claim.runId}/events`, {
    key: other.key,
    headers: { accept: 'application/json' },
  })
  expect(text).toContain('"checkpoint.reminded"')
  expect(text).toContain('"checkpoint.expired"')
})

function elements(node: Tree.Node): Tree.Element[] {
  const children = 'childNodes' in node ? node.childNodes.flatMap(elements) : []
  return 'tagName' in node ? [node, ...children] : children
}

const attr = (element: Tree.Element | undefined, name: string): string | undefined =>
  element?.attrs.find((one) => one.name === name)?.value
