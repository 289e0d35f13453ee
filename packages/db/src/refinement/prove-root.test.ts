import type { AuditEvent, TenantId } from '@almanac/domain'
import { chainHash } from '@almanac/domain/hash'
import { newId } from '@almanac/domain/ids'
import { prove, type AuditLink } from '@almanac/refinement'
import { beforeAll, describe, expect, it } from 'vitest'
import { testDatabase } from '../../../../test/support/postgres.ts'
import { createDriver } from '../testing/drive-run.ts'
import { answerCheckpoint } from './checkpoints.ts'
import { prepareCall } from './prepare-call.ts'
import { linkOf, proveRoot, type StoredAct } from './prove-root.ts'
import { endRoot, recordMerge } from './settle-root.ts'
import { resumeRoot } from './stored-root.ts'
import { createRefiner, type RefinedRun } from './testing/refined-run.ts'

const { db, superuser, tamper } = await testDatabase()
const driver = createDriver(db)
const refiner = createRefiner(db, driver)

const scored = [0.6, 0.7, 0.65]

/** A root of two generations, the second under an approval, to its end. */
async function life(): Promise<RefinedRun> {
  const root = await refiner.open({ limits: { maxDepth: 2 }, score: 0.5 })
  let claim = root.claim
  for (const generation of [1, 2]) {
    let prepared = await prepareCall(db, claim, refiner.wanted({ ...root, claim }))
    if (prepared.kind === 'waiting') {
      const approver = { principalId: newId('principal'), mayApprove: true }
      const { checkpointId } = prepared
      await answerCheckpoint(db, claim.tenantId, approver, {
        checkpointId,
        decision: 'approved',
        reason: 'it is worth it',
      })
      claim = await refiner.comeBack(root)
      prepared = await prepareCall(db, claim, refiner.wanted({ ...root, claim }))
    }
    expect(prepared.kind).toBe('booked')
    for (const [i, score] of scored.entries())
      await refiner.variants.finish(
        { ...claim, generation, ordinal: i + 1 },
        await refiner.done(root.tenant, score + generation / 10),
      )
    claim = await refiner.comeBack(root)
    const stored = await resumeRoot(db, claim)
    const parents = stored?.generation?.variants.flatMap(({ version }) => version?.id ?? []) ?? []
    const version = { ...(await refiner.draft(root.tenant, 0.75 + generation / 10)), parents }
    await recordMerge(db, claim, generation, { merge: 'accepted', version })
  }
  await endRoot(db, claim, 'depth')
  while ((await driver.operations.chain.link(1_000)) > 0);
  return root
}

let root: RefinedRun
let rows: StoredAct[]
let tenantId: TenantId
beforeAll(async () => {
  root = await life()
  tenantId = root.tenant.tenantId
  rows = await superuser<StoredAct>(
    `select c.seq::int, c.previous_hash, c.hash, e.id, e.at, e.actor, e.action, e.subject, e.detail
      from audit_chain c join audit_events e on e.id = c.event_id where c.tenant_id = $1 order by c.seq`,
    [tenantId],
  )
})

const proved = (acts: readonly StoredAct[]) =>
  prove(
    root.claim.runId,
    acts.map((row) => linkOf(tenantId, row)),
  )

describe('the proof of a root', () => {
  it('holds for what happened', async () => {
    const proof = await db.withTenant(tenantId, (trx) => proveRoot(trx, tenantId, root.claim.runId))
    expect(proof).toEqual({
      holds: true,
      problems: [],
      acts: 14,
      generations: 2,
      children: 6,
      ended: 'depth',
      pending: 0,
    })
  })

  it('fails when a byte of any link or event changes', () => {
    expect(proved(rows).holds).toBe(true)
    const other = (byte: string) =>
      byte === 'a' ? 'b' : byte === '1' ? '2' : byte === ' ' ? 'x' : 'a'
    let flips = 0
    for (const [n, row] of rows.entries())
      for (const field of [
        'previous_hash',
        'hash',
        'id',
        'actor',
        'action',
        'subject',
        'detail',
      ] as const)
        // Every byte would take minutes; of each row another fifth is changed.
        for (let i = n % 5; i < row[field].length; i += 5) {
          const text = row[field]
          const changed = {
            ...row,
            [field]: text.slice(0, i) + other(text[i] ?? '') + text.slice(i + 1),
          }
          if (proved(rows.with(n, changed)).holds)
            throw new Error(`${field} of link ${row.seq}, byte ${i}`)
          flips += 1
        }
    expect(flips).toBeGreaterThan(1_500)
  })

  it('fails when an instant moves, a row goes, or two change places', () => {
    for (const [n, row] of rows.entries()) {
      const at = new Date((row.at?.getTime() ?? 0) + 1)
      expect(proved(rows.with(n, { ...row, at })).holds).toBe(false)
      const isLast = n === rows.length - 1
      if (n > 0 && !isLast) expect(proved(rows.toSpliced(n, 1)).holds).toBe(false)
      const next = rows[n + 1]
      if (next) expect(proved(rows.with(n, next).with(n + 1, row)).holds).toBe(false)
    }
  })

  it('fails on the database when somebody with all rights changes a byte', async () => {
    await tamper(
      `update audit_events set detail = replace(detail, '"children":3', '"children":2') where tenant_id = $1`,
      [tenantId],
    )
    const proof = await db.withTenant(tenantId, (trx) => proveRoot(trx, tenantId, root.claim.runId))
    expect(proof.holds).toBe(false)
    await tamper(
      `update audit_events set detail = replace(detail, '"children":2', '"children":3') where tenant_id = $1`,
      [tenantId],
    )
  })
})

/** The acts of the root with some of them changed, in a chain whose hashes are right all the same. */
function forged(change: (event: AuditEvent, action: number) => AuditEvent | AuditEvent[] | null) {
  const links: AuditLink[] = []
  const seen = new Map<string, number>()
  for (const row of rows) {
    const { event } = linkOf(tenantId, row)
    if (!event) throw new Error('not an event')
    const nth = (seen.get(event.action) ?? 0) + 1
    seen.set(event.action, nth)
    for (const one of [change(event, nth) ?? []].flat()) {
      const place = { seq: links.length + 1, previousHash: links.at(-1)?.hash ?? '', event: one }
      links.push({ ...place, hash: chainHash(place) })
    }
  }
  return prove(root.claim.runId, links)
}

const edit =
  (action: string, nth: number, over: object, actor?: string) => (event: AuditEvent, n: number) =>
    event.action === action && n === nth
      ? { ...event, ...(actor ? { actor } : {}), detail: { ...event.detail, ...over } }
      : event

describe('a history that was recorded so, with right hashes', () => {
  it('is believed when nothing in it is wrong', () => {
    expect(forged((event) => event)).toMatchObject({ holds: true, problems: [] })
  })

  it.each([
    [
      'children were granted past their limit',
      edit('refinement.granted', 1, { children: 101 }),
      'CHILDREN_EXCEEDED',
    ],
    [
      'a decision was not there',
      edit('refinement.granted', 2, { checkpointId: null }),
      'it needed a decision',
    ],
    [
      'its checkpoint was never requested',
      edit('refinement.granted', 2, { checkpointId: newId('checkpoint') }),
      'never requested',
    ],
    [
      'the decision was a denial',
      edit('checkpoint.decided', 1, { decision: 'denied' }),
      'CHECKPOINT_DENIED',
    ],
    [
      'a policy approved for people',
      edit('checkpoint.decided', 1, {}, 'policy:1'),
      'no policy may approve',
    ],
    [
      'the approval came too late',
      edit('checkpoint.requested', 1, { expiresAt: '2020-01-01T00:00:00.000Z' }),
      'after it had expired',
    ],
    [
      'it was granted under other limits',
      edit('refinement.granted', 1, { limitsHash: 'x' }),
      'under other limits',
    ],
    [
      'limits have another hash',
      edit('refinement.started', 1, { limitsHash: 'x' }),
      'another hash',
    ],
    [
      'money was hidden',
      edit('refinement.variant_closed', 1, { microUsd: 5 }),
      'as spent, but 5 were',
    ],
    [
      'a worse version went on',
      edit('refinement.merged', 1, { best: 'draft' }),
      'does not read as',
    ],
    [
      'a variant was closed twice',
      edit('refinement.variant_closed', 2, { ordinal: 1 }),
      'was closed before',
    ],
    [
      'nobody granted the variant',
      edit('refinement.variant_closed', 3, { ordinal: 4 }),
      'nobody granted',
    ],
    [
      'a generation was out of turn',
      edit('refinement.granted', 2, { generation: 3 }),
      'out of turn',
    ],
    [
      'an act is missing',
      (event: AuditEvent) => (event.action === 'refinement.merged' ? null : event),
      'is missing',
    ],
    ['it was merged twice', edit('refinement.merged', 2, { generation: 1 }), 'merged before'],
    [
      'it started twice',
      (event: AuditEvent, n: number) =>
        event.action === 'refinement.started' && n === 1 ? [event, event] : event,
      'was started before',
    ],
  ])('is not believed: %s', (_, change, says) => {
    const proof = forged(change)
    expect(proof.holds).toBe(false)
    expect(proof.problems.join('\n')).toContain(says)
  })

  it('is not believed: who asked approved it', () => {
    const { principalId } = root.tenant
    const proof = forged(edit('checkpoint.decided', 1, {}, principalId))
    expect(proof.problems).toEqual([expect.stringContaining('by who had asked for it')])
  })

  it('is not believed: another version is the best, or goes on at the end', () => {
    const version = { id: newId('version'), score: 0.99, depth: 1 }
    expect(forged(edit('refinement.merged', 1, { best: version })).problems.join()).toContain(
      'is the best',
    )
    expect(forged(edit('refinement.ended', 1, { best: version })).problems).toEqual([
      expect.stringContaining('it ends with'),
    ])
  })

  it('is not believed without a start', () => {
    expect(prove(root.claim.runId, []).problems).toEqual(['the audit has no start of this root'])
  })
})
