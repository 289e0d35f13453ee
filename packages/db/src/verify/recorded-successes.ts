import { z } from 'zod'
import type { Access, Check, Findings } from './check.ts'
import { parseJson } from './parse-json.ts'
import type { Snapshot } from './snapshot.ts'

/**
 * P5: the rows that a success recorded say what the audit and the run's last output say of it. What
 * the document says of itself is compared where content is opened.
 */
export const recordedSuccesses: Check = {
  promise: 'P5',
  name: 'versions and artifacts are as their success recorded them',
  unit: 'versions and artifacts',
  async run(access, findings) {
    const { snapshot } = access
    const [counted] = await snapshot.query<{ rows: number }>(
      'select (select count(*) from versions) + (select count(*) from artifacts) as rows',
    )
    findings.rows(counted?.rows ?? 0)
    const batch: Success[] = []
    for await (const success of snapshot.each<Success>(
      `select e.tenant_id, e.subject as run_id, e.id as audit_id, e.detail, o.output, x.detail as ended,
          r.state, r.document_id, r.score, r.specification_id, r.period_key, r.test, r.finished_at
        from audit_events e
        left join runs r on r.tenant_id = e.tenant_id and r.id = e.subject
        left join stage_outputs o on o.tenant_id = e.tenant_id and o.run_id = e.subject
          and o.stage = 'persist'
        left join audit_events x on x.tenant_id = e.tenant_id and x.subject = e.subject
          and x.action = 'refinement.ended'
        where e.action = 'run.succeeded'`,
    )) {
      if (batch.push(success) === atOnce)
        await compareSuccesses(snapshot, batch.splice(0), findings)
    }
    await compareSuccesses(snapshot, batch, findings)
    await checkUnaudited(access, findings)
    await checkDepths(access, findings)
  },
}

const atOnce = 200

interface Success {
  tenant_id: string
  run_id: string
  audit_id: string
  detail: string
  output: string | null
  /** What the audit holds of the end of its refinement. */
  ended: string | null
  state: string | null
  document_id: string | null
  score: number | null
  specification_id: string
  period_key: string | null
  test: boolean
  finished_at: Date
}

/** What the audit of a success holds. */
const audited = z.object({
  documentId: z.string(),
  versionId: z.string(),
  contentHash: z.string(),
  packageHash: z.string(),
  score: z.number(),
  artifacts: z.array(z.object({ id: z.string(), format: z.string(), sha256: z.string() })),
})

/** What the audit of a refinement's end holds of the version that went on. */
const refined = z.object({ best: z.object({ id: z.string(), score: z.number() }) })

/** What the output of the stage that concluded holds beyond it. */
const concluded = z.object({
  version: z.object({ label: z.string(), evaluation: z.string() }),
  artifacts: z.array(
    z.object({ id: z.string(), bytes: z.number(), engine: z.string(), model: z.string() }),
  ),
})

type Row = Record<string, unknown> & { tenant_id: string; run_id: string; id: string }

async function compareSuccesses(
  snapshot: Snapshot,
  successes: readonly Success[],
  findings: Findings,
): Promise<void> {
  const keys = [successes.map(({ tenant_id }) => tenant_id), successes.map(({ run_id }) => run_id)]
  const of = async (table: string) => {
    const rows = await snapshot.query<Row>(
      `select t.*, t.created_at = r.finished_at${isMadeBefore(table)} as at_the_end from ${table} t
        join runs r on r.tenant_id = t.tenant_id and r.id = t.run_id
        where (t.tenant_id, t.run_id) in (select * from unnest($1::text[], $2::text[]))`,
      keys,
    )
    return Map.groupBy(rows, ({ tenant_id, run_id }) => `${tenant_id} ${run_id}`)
  }
  const [versions, artifacts] = [await of('versions'), await of('artifacts')]
  for (const success of successes) {
    const key = `${success.tenant_id} ${success.run_id}`
    compareSuccess(success, versions.get(key) ?? [], artifacts.get(key) ?? [], findings)
  }
}

/** A refined run stores its versions as it makes them. */
const isMadeBefore = (table: string): string =>
  table === 'versions'
    ? ` or exists (select from refinement_roots o where o.tenant_id = t.tenant_id and o.run_id = t.run_id)`
    : ''

function compareSuccess(
  success: Success,
  versions: readonly Row[],
  artifacts: readonly Row[],
  findings: Findings,
): void {
  const { tenant_id, run_id, audit_id } = success
  const says = audited.safeParse(parseJson(success.detail)).data
  if (!says)
    return findings.problem('audit_events', { tenant_id, id: audit_id }, 'it tells of no success')
  const { documentId, versionId, contentHash, packageHash, score } = says
  if (success.state !== 'succeeded')
    findings.problem(
      'runs',
      { tenant_id, id: run_id },
      success.state === null
        ? `${audit_id} says that it succeeded, and it does not exist`
        : `${audit_id} says that it succeeded, and it is ${success.state}`,
    )
  const output = concluded.safeParse(parseJson(success.output ?? '')).data
  if (!output)
    findings.problem(
      'stage_outputs',
      { tenant_id, run_id, stage: 'persist' },
      'it does not read as the end of a success',
    )
  const compare = (table: string, row: Row | undefined, id: string, expected: Row) => {
    if (!row)
      return findings.problem(table, { tenant_id, id }, `${audit_id} names it, and it is missing`)
    for (const [column, value] of Object.entries(expected))
      if (row[column] !== value)
        findings.problem(
          table,
          { tenant_id, id },
          `its ${column} is ${show(row[column])}, its success recorded ${show(value)}`,
        )
    if (row['at_the_end'] !== true)
      findings.problem(table, { tenant_id, id }, 'it was not created when its run succeeded')
  }

  const run = { tenant_id, run_id }
  const version = versions.find(({ id }) => id === versionId)
  // A refined version was measured before a judge was asked: how, the audit of its refinement says.
  const best = refined.safeParse(parseJson(success.ended ?? '')).data?.best
  const isRefined = best?.id === versionId
  const isMeasuredAlike =
    isRefined && measuredAlike(version?.['evaluation'], output?.version.evaluation)
  compare('versions', version, versionId, {
    ...run,
    ...{ id: versionId, document_id: documentId, score: isRefined ? best.score : score },
    ...{ content_hash: contentHash, package_hash: packageHash },
    ...(output && (isMeasuredAlike ? { label: output.version.label } : output.version)),
  })
  for (const { id, format, sha256 } of says.artifacts) {
    const { specification_id, period_key, test } = success
    const classification = 'non_operational_output'
    const artifact = artifacts.find((one) => one.id === id)
    const { bytes, engine, model } = output?.artifacts.find((one) => one.id === id) ?? {}
    compare('artifacts', artifact, id, {
      ...run,
      ...{
        id,
        format,
        sha256,
        score,
        classification,
        version_id: versionId,
        specification_id,
        period_key,
        test,
      },
      ...(output ? { bytes, engine, model } : {}),
    })
  }
  for (const { id } of artifacts)
    if (!says.artifacts.some((one) => one.id === id))
      findings.problem('artifacts', { tenant_id, id }, `${audit_id} does not name it`)
  compareRun(success, documentId, score, findings)
}

const measures = z.object({
  metrics: z.array(z.object({ name: z.string(), value: z.number(), reasons: z.array(z.string()) })),
})

/** Whether every metric of a version's evaluation stands in that of its success, with what it said. */
function measuredAlike(version: unknown, success: unknown): boolean {
  const [own, others] = [version, success].map(
    (text) => measures.safeParse(parseJson(typeof text === 'string' ? text : '')).data?.metrics,
  )
  if (!own || !others) return false
  const said = new Set(others.map((metric) => JSON.stringify(metric)))
  return own.every((metric) => said.has(JSON.stringify(metric)))
}

function compareRun(
  { tenant_id, run_id, state, document_id, score }: Success,
  documentId: string,
  recorded: number,
  findings: Findings,
): void {
  if (state === null) return
  const row = { tenant_id, id: run_id }
  if (document_id !== documentId)
    findings.problem('runs', row, `its document is ${document_id}, it recorded ${documentId}`)
  if (score !== recorded)
    findings.problem('runs', row, `its score is ${score}, it recorded ${recorded}`)
}

const show = (value: unknown): string => {
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return text === undefined ? 'nothing' : text.length > 100 ? `${text.slice(0, 100)}…` : text
}

/** Successes that the audit does not know, and rows of runs that are none. */
async function checkUnaudited({ snapshot }: Access, findings: Findings): Promise<void> {
  const runs = snapshot.each<{ tenant_id: string; id: string; events: number }>(
    `select r.tenant_id, r.id, count(e.id) as events from runs r
      left join audit_events e on e.tenant_id = r.tenant_id and e.subject = r.id
        and e.action = 'run.succeeded'
      where r.state = 'succeeded' group by r.tenant_id, r.id having count(e.id) <> 1`,
  )
  for await (const { events, ...run } of runs)
    findings.problem('runs', run, `it succeeded, and the audit says so ${events} times`)
  const artifacts = snapshot.each<{ tenant_id: string; id: string; run_id: string }>(
    `select a.tenant_id, a.id, a.run_id from artifacts a where not exists (
      select from audit_events e where e.tenant_id = a.tenant_id and e.subject = a.run_id
        and e.action = 'run.succeeded')`,
  )
  for await (const { run_id, ...artifact } of artifacts)
    findings.problem('artifacts', artifact, `the audit knows of no success of ${run_id}`)
}

/** A version's depth is the generation that made it; 0 where none did. */
async function checkDepths({ snapshot }: Access, findings: Findings): Promise<void> {
  const rows = snapshot.each<{ tenant_id: string; id: string; depth: number; made: number }>(
    `select v.tenant_id, v.id, v.depth, coalesce(c.generation, g.generation, 0) as made from versions v
      left join variants c on c.tenant_id = v.tenant_id and c.version_id = v.id
      left join generations g on g.tenant_id = v.tenant_id and g.merged_version_id = v.id
      where v.depth <> coalesce(c.generation, g.generation, 0)`,
  )
  for await (const { depth, made, ...version } of rows)
    findings.problem('versions', version, `its depth is ${depth}, generation ${made} made it`)
}
