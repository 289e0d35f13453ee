import { isAlmanacError, type TenantId } from '@almanac/domain'
import { sha256 } from '@almanac/domain/hash'
import { sql } from 'kysely'
import { z } from 'zod'
import type { Access, Check, Findings } from './check.ts'
import { contentPages, type NamedBlob } from './content-pages.ts'
import { parseJson } from './parse-json.ts'

/** P5: all stored content is opened, and is what its hash says; so is what rows say of it. */
export const storedContent: Check = {
  promise: 'P5',
  name: 'packages, documents and artifacts are what their hashes say',
  unit: 'contents',
  async run(access, findings) {
    const kinds = new Map<string, number>()
    const count = (kind: string) => kinds.set(kind, (kinds.get(kind) ?? 0) + 1)
    for await (const { id } of access.snapshot.each<{ id: TenantId }>(
      'select id from tenants order by id',
    ))
      await checkTenant(access, id, count, findings)
    const told = kindNames.filter((kind) => kinds.has(kind))
    if (told.length > 0)
      findings.note(`among them ${told.map((kind) => `${kind}s ${kinds.get(kind)}`).join(', ')}`)
    const erased = kinds.get('erased')
    if (erased) findings.note(`${erased} erased`)
  },
}

const kindNames = ['package', 'document', 'artifact', 'answer', 'evidence item'] as const

/** A row that names content, or several rows of one kind that name the same. */
interface Mention {
  sha256: string
  kind: (typeof kindNames)[number]
  /** Where it is named; the first place of several. */
  place: string
  artifact: ArtifactRow | null
}

interface ArtifactRow {
  id: string
  run_id: string
  format: string
  bytes: number
  specification_id: string
  period_key: string | null
  test: boolean
  engine: string
  model: string
  score: number
  terminology_version: string
  /** Whether its run came from another one. */
  rerun: boolean
}

const mentions = `select * from (
    select package_hash, 'package', 'versions of ' || min(run_id), null::jsonb
      from versions where tenant_id = $1 group by package_hash
    union all select package_hash, 'package', 'engine_calls of ' || min(run_id), null
      from engine_calls where tenant_id = $1 group by package_hash
    union all select content_hash, 'document', 'versions of ' || min(run_id), null
      from versions where tenant_id = $1 group by content_hash
    union all select output_hash, 'answer', 'engine_calls of ' || min(run_id), null
      from engine_calls where tenant_id = $1 and output_hash is not null group by output_hash
    union all select hash, 'evidence item', 'evidence_revisions of ' || min(item_id), null
      from evidence_revisions where tenant_id = $1 group by hash
    union all select hash, 'evidence item', 'evidence_items of ' || min(item_id), null
      from evidence_items where tenant_id = $1 group by hash
    union all select a.sha256, 'artifact', 'artifacts ' || a.id,
      to_jsonb(a) || jsonb_build_object('rerun', coalesce(r.origin is not null, false))
      from artifacts a left join runs r on r.tenant_id = a.tenant_id and r.id = a.run_id
      where a.tenant_id = $1
  ) as mention (sha256, kind, place, artifact)
  order by sha256 collate "C"`

/** Walks contents and mentions side by side, both in the order of their hashes. */
async function checkTenant(
  access: Access,
  tenantId: TenantId,
  count: (kind: string) => void,
  findings: Findings,
): Promise<void> {
  const rows = access.snapshot.each<Mention>(mentions, [tenantId])
  let next = await rows.next()
  const takeWhile = async (wanted: (hash: string) => boolean): Promise<Mention[]> => {
    const taken: Mention[] = []
    while (!next.done && wanted(next.value.sha256)) {
      taken.push(next.value)
      next = await rows.next()
    }
    return taken
  }
  const tellMissing = (lost: readonly Mention[]) => {
    for (const { sha256: hash, kind, place } of lost)
      findings.problem(
        'blobs',
        { tenant_id: tenantId, sha256: hash },
        `it does not exist, and is the ${kind} in ${place}`,
      )
  }
  for await (const page of contentPages(access.db, tenantId))
    for (const blob of page) {
      tellMissing(await takeWhile((hash) => hash < blob.sha256))
      const named = await takeWhile((hash) => hash === blob.sha256)
      findings.rows(1)
      for (const kind of new Set(named.map((one) => one.kind))) count(kind)
      const { bytes } = blob
      if (bytes === null) {
        count('erased')
        await checkErased(access, tenantId, blob.sha256, findings)
      } else checkBlob(access, tenantId, { ...blob, bytes }, named, findings)
    }
  tellMissing(await takeWhile(() => true))
}

/** What was erased was erased by somebody, who is in the audit; maybe since the snapshot was taken. */
async function checkErased(
  { db }: Access,
  tenantId: TenantId,
  hash: string,
  findings: Findings,
): Promise<void> {
  const acts = await db.querySystem(
    'verify',
    sql`select from audit_events where tenant_id = ${tenantId} and action = 'content.erased'
      and (subject = ${hash} or position(${hash} in detail) > 0) limit 1`,
  )
  if (acts.length === 0)
    findings.problem(
      'blobs',
      { tenant_id: tenantId, sha256: hash },
      'its content is gone, and the audit does not know who erased it',
    )
}

function checkBlob(
  { codec }: Access,
  tenantId: TenantId,
  { sha256: hash, key_id: keyId, bytes }: NamedBlob & { bytes: Buffer },
  named: readonly Mention[],
  findings: Findings,
): void {
  const wrong = (what: string) => {
    const places = named.map(({ kind, place }) => `the ${kind} in ${place}`)
    const context = places.length > 0 ? `; it is ${places.slice(0, 3).join(', ')}` : ''
    findings.problem('blobs', { tenant_id: tenantId, sha256: hash }, what + context)
  }
  let plain: Buffer
  try {
    plain = codec.open({ keyId, bytes })
  } catch (error) {
    return wrong(isAlmanacError(error) ? error.message : 'it was changed: its seal is broken')
  }
  const found = sha256(plain)
  if (found !== hash) return wrong(`it was changed: its content has the hash ${found}`)
  for (const { artifact } of named) if (artifact) checkArtifact(tenantId, artifact, plain, findings)
}

/** What a document in JSON says of itself: the part that its row repeats. */
const ownWords = z.object({
  metadata: z.object({
    runId: z.string(),
    specificationId: z.string(),
    periodKey: z.nullable(z.string()),
    test: z.boolean(),
    engine: z.object({ name: z.string(), model: z.string() }),
    score: z.number(),
    terminologyVersion: z.string(),
  }),
})

function checkArtifact(
  tenantId: TenantId,
  artifact: ArtifactRow,
  plain: Buffer,
  findings: Findings,
): void {
  const wrong = (what: string) =>
    findings.problem('artifacts', { tenant_id: tenantId, id: artifact.id }, what)
  if (artifact.bytes !== plain.length)
    wrong(`its bytes are ${artifact.bytes}, its content has ${plain.length}`)
  if (artifact.format !== 'json') return
  const says = ownWords.safeParse(parseJson(plain.toString('utf8'))).data?.metadata
  if (!says) return wrong('its content is no document in JSON')
  // A rerun may take a document over as it was made for the run before.
  if (artifact.rerun && says.runId !== artifact.run_id) return
  const pairs = [
    ['run_id', artifact.run_id, says.runId],
    ['specification_id', artifact.specification_id, says.specificationId],
    // A test takes no period, whatever period its document is about.
    ['period_key', artifact.period_key, says.test ? null : says.periodKey],
    ['test', artifact.test, says.test],
    ['engine', artifact.engine, says.engine.name],
    ['model', artifact.model, says.engine.model],
    ['score', artifact.score, says.score],
    ['terminology_version', artifact.terminology_version, says.terminologyVersion],
  ] as const
  for (const [column, row, document] of pairs)
    if (row !== document) wrong(`its ${column} is ${row}, its document says ${document}`)
}
