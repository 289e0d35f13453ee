import { canonicalJson, type AuditEvent } from '@almanac/domain'
import { auditEventOf, chainHash, type AuditRow } from '../chain.ts'
import type { Access, Check, Findings } from './check.ts'
import { parseJson } from './parse-json.ts'

/** P5: the audit of every tenant is one gapless chain, and says what it said when it was linked. */
export const auditChain: Check = {
  promise: 'P5',
  name: 'the audit is one gapless chain of hashes a tenant',
  unit: 'audit events and links',
  async run(access, findings) {
    await checkLinks(access, findings)
    await checkEvents(access, findings)
    await checkAnchors(access, findings)
  },
}

/** A link as stored, with its event if that is there. */
export interface StoredLink {
  tenant_id: string
  seq: number
  event_id: string
  previous_hash: string
  hash: string
  event: AuditRow | null
}

interface LinkRow extends Omit<StoredLink, 'event'> {
  at: Date | null
  actor: string
  action: string
  subject: string
  detail: string
}

async function checkLinks({ snapshot }: Access, findings: Findings): Promise<void> {
  const rows = snapshot.each<LinkRow>(
    `select c.tenant_id, c.seq, c.event_id, c.previous_hash, c.hash,
        e.at, e.actor, e.action, e.subject, e.detail
      from audit_chain c left join audit_events e on e.tenant_id = c.tenant_id and e.id = c.event_id
      order by c.tenant_id, c.seq`,
  )
  let before: StoredLink | undefined
  let link: StoredLink | undefined
  const judge = (next: StoredLink | undefined) => {
    if (link) judgeLink(sameTenant(before, link), link, sameTenant(next, link), findings)
    before = link
    link = next
  }
  for await (const { at, actor, action, subject, detail, ...row } of rows) {
    const { tenant_id, event_id: id } = row
    judge({ ...row, event: at && { tenant_id, id, at, actor, action, subject, detail } })
    findings.rows(1)
  }
  judge(undefined)
}

const sameTenant = (other: StoredLink | undefined, link: StoredLink): StoredLink | undefined =>
  other?.tenant_id === link.tenant_id ? other : undefined

/**
 * Holds a link against its event and its neighbours. Whichever of event, hash and previous hash was
 * changed, the two others still agree with the neighbours, which tells the row to name.
 */
export function judgeLink(
  before: StoredLink | undefined,
  link: StoredLink,
  next: StoredLink | undefined,
  findings: Findings,
): void {
  const { tenant_id, seq, event_id, previous_hash, hash } = link
  const wrong = (what: string) => findings.problem('audit_chain', { tenant_id, seq }, what)
  const wrongEvent = (what: string) =>
    findings.problem('audit_events', { tenant_id, id: event_id }, what)
  const gapless = seq === (before?.seq ?? 0) + 1
  if (!gapless) wrong(`it follows ${before ? `link ${before.seq}` : 'no link'}: a link is missing`)
  if (!link.event) return wrong(`its event ${event_id} does not exist`)
  const event = readEvent(link.event)
  if (!event) return wrongEvent('it does not read as an event')

  const previousHash = gapless ? (before?.hash ?? '') : previous_hash
  if (chainHash({ seq, previousHash: previous_hash, event }) === hash) {
    // When the link before still gives that hash, it is its own stored hash that was changed.
    if (previous_hash !== previousHash && hashMadeOf(before) !== previous_hash)
      wrong(`its previous hash is not the hash of link ${before?.seq ?? 0}`)
    return
  }
  const made = chainHash({ seq, previousHash, event })
  if (made === hash) wrong('its previous hash was changed')
  else if (next?.previous_hash === made) wrong('its hash was changed')
  else if (next?.previous_hash === hash)
    wrongEvent(`it was changed: it does not give the hash of link ${seq}`)
  else {
    wrongEvent(`it does not give the hash of link ${seq}: one of the two was changed`)
    wrong(`its hash is not that of ${event_id}: one of the two was changed`)
  }
}

function hashMadeOf(link: StoredLink | undefined): string | undefined {
  const event = link?.event && readEvent(link.event)
  if (!link || !event) return undefined
  return chainHash({ seq: link.seq, previousHash: link.previous_hash, event })
}

/** The event of a row; undefined when it is none, or its text is not the canonical one. */
export function readEvent(row: AuditRow): AuditEvent | undefined {
  if (parseJson(row.detail) === undefined) return undefined
  try {
    const event = auditEventOf(row)
    return canonicalJson(event.detail) === row.detail ? event : undefined
  } catch {
    return undefined
  }
}

/** Every event is in the chain or on the list of those that wait for it, and never in both. */
async function checkEvents({ snapshot }: Access, findings: Findings): Promise<void> {
  const [counted] = await snapshot.query<{ events: number; tail: number; oldest: Date | null }>(
    `select (select count(*) from audit_events) as events, count(u.event_id) as tail,
        min(e.at) as oldest
      from audit_unchained u left join audit_events e on e.tenant_id = u.tenant_id and e.id = u.event_id`,
  )
  findings.rows(counted?.events ?? 0)
  if (counted?.tail)
    findings.note(
      `${counted.tail} not linked yet, the oldest of ${counted.oldest?.toISOString() ?? 'no event'}`,
    )
  const rows = snapshot.each<{ tenant_id: string; id: string; linked: boolean }>(
    `select e.tenant_id, e.id, c.event_id is not null as linked from audit_events e
      left join audit_chain c on c.tenant_id = e.tenant_id and c.event_id = e.id
      left join audit_unchained u on u.tenant_id = e.tenant_id and u.event_id = e.id
      where (c.event_id is null) = (u.event_id is null)`,
  )
  for await (const { linked, ...event } of rows)
    findings.problem(
      'audit_events',
      event,
      linked ? 'it is linked, and waits to be' : 'it is neither linked nor waits to be',
    )
}

/** Artifacts hold the head that the chain had when they were recorded: a rewritten chain has another. */
async function checkAnchors({ snapshot }: Access, findings: Findings): Promise<void> {
  type Row = { tenant_id: string; id: string; audit_seq: number; found: string | null }
  const rows = snapshot.each<Row>(
    `select a.tenant_id, a.id, a.audit_seq, c.hash as found from artifacts a
      left join audit_chain c on c.tenant_id = a.tenant_id and c.seq = a.audit_seq
      where a.audit_hash is distinct from case a.audit_seq when 0 then '' else c.hash end`,
  )
  for await (const { audit_seq, found, ...artifact } of rows)
    findings.problem(
      'artifacts',
      artifact,
      found === null && audit_seq !== 0
        ? `it was recorded after link ${audit_seq} of the audit, which does not exist`
        : `it holds another hash of link ${audit_seq} than the audit has now`,
    )
}
