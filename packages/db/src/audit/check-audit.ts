import { auditEvent, canonicalJson, runId, tenantId, type AuditEvent } from '@almanac/domain'
import { chainHash } from '@almanac/domain/hash'
import { isRefinementAction, proveActs } from '@almanac/refinement'
import { z } from 'zod'

const link = z.strictObject({
  type: z.literal('link'),
  tenantId,
  seq: z.int().min(1),
  previousHash: z.string(),
  hash: z.string(),
  event: z.nullable(auditEvent),
})
const head = z.strictObject({
  type: z.literal('head'),
  tenantId,
  seq: z.int().min(0),
  hash: z.string(),
  unlinked: z.int().min(0),
})
const auditLine = z.discriminatedUnion('type', [link, head])
type Link = z.output<typeof link>
type Head = z.output<typeof head>

export interface AuditFinding {
  /** The line of the file, from 1; null for what no one line says. */
  line: number | null
  what: string
}

export interface AuditCheck {
  ok: boolean
  links: number
  /** The head of each tenant, to be held against one that was kept elsewhere. */
  heads: { tenantId: string; seq: number; hash: string; unlinked: number }[]
  /** Roots of refinements whose acts were derived again. */
  roots: number
  /** The first 100. */
  findings: AuditFinding[]
  findingCount: number
}

const mostFindings = 100

/**
 * Holds an export against itself, without a database: every line is canonical, every hash is that of its
 * event and the link before, no link is missing, each chain ends at its head, and what each root's acts
 * say follows from them. Who rewrites the whole file from some link on makes other heads: hold these
 * against what was kept elsewhere (`knownHeads`: hashes that must be in the file).
 */
export async function checkAudit(
  lines: AsyncIterable<string>,
  knownHeads: readonly string[] = [],
): Promise<AuditCheck> {
  const check: AuditCheck = {
    ok: true,
    links: 0,
    heads: [],
    roots: 0,
    findings: [],
    findingCount: 0,
  }
  const report = (line: number | null, what: string): void => {
    check.findingCount += 1
    if (check.findings.length < mostFindings) check.findings.push({ line, what })
  }
  const missing = new Set(knownHeads)
  const closed = new Set<string>()
  const roots = new Map<string, AuditEvent[]>()
  let before: Link | undefined
  let number = 0
  for await (const text of lines) {
    number += 1
    const line = readLine(text)
    if (!line) {
      report(number, 'it is not a line of an audit export, or not in its canonical form')
      continue
    }
    const ours = before?.tenantId === line.tenantId ? before : undefined
    if (before && !ours) report(number, `the chain of ${before.tenantId} has no head`)
    if (closed.has(line.tenantId)) report(number, `the chain of ${line.tenantId} was over`)
    missing.delete(line.hash)
    if (line.type === 'head') {
      judgeHead(ours, line, (what) => report(number, what))
      const { tenantId: tenant, seq, hash, unlinked } = line
      check.heads.push({ tenantId: tenant, seq, hash, unlinked })
      closed.add(tenant)
      before = undefined
      continue
    }
    judgeLink(ours, line, (what) => report(number, what))
    check.links += 1
    before = line
    const { event } = line
    if (event && isRefinementAction(event.action) && runId.safeParse(event.subject).success) {
      const acts = roots.get(event.subject)
      if (acts) acts.push(event)
      else roots.set(event.subject, [event])
    }
  }
  if (before) report(null, `the chain of ${before.tenantId} has no head: the file was cut`)
  if (number === 0) report(null, 'the file is empty')
  for (const hash of missing) report(null, `no link has the known hash ${hash}`)
  for (const [root, events] of roots) {
    const proof = proveActs(runId.parse(root), events)
    for (const problem of proof.problems) report(null, `${root}: ${problem}`)
  }
  return { ...check, roots: roots.size, ok: check.findingCount === 0 }
}

function readLine(text: string): Link | Head | undefined {
  try {
    const line = auditLine.parse(JSON.parse(text))
    return canonicalJson(line) === text ? line : undefined
  } catch {
    return undefined
  }
}

function judgeLink(
  before: Link | undefined,
  { seq, previousHash, hash, event, tenantId: tenant }: Link,
  report: (what: string) => void,
): void {
  if (seq !== (before?.seq ?? 0) + 1)
    report(`link ${seq} follows ${before ? `link ${before.seq}` : 'no link'}: a link is missing`)
  else if (previousHash !== (before?.hash ?? ''))
    report(`link ${seq} does not follow from the hash before it`)
  if (!event) report(`the event of link ${seq} does not read as one`)
  else if (event.tenantId !== tenant) report(`the event of link ${seq} is of another tenant`)
  else if (chainHash({ seq, previousHash, event }) !== hash)
    report(`the event of link ${seq} does not give its hash`)
}

function judgeHead(
  last: Link | undefined,
  { seq, hash }: Head,
  report: (what: string) => void,
): void {
  if (seq !== (last?.seq ?? 0) || hash !== (last?.hash ?? ''))
    report(`the head is link ${seq}, but the last link is ${last?.seq ?? 0}, or has another hash`)
}
