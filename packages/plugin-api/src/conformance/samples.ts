import { createKinds, type RenderInput } from '@almanac/documents'
import {
  fixtureDraft,
  fixturePackage,
  fixtureWorkflow,
  industryByHash,
  renderInput,
  workflowFixtureDraft,
  workflowPackage,
  workflowRenderInput,
} from '@almanac/documents/samples'
import type { Json, RunPackage } from '@almanac/domain'

/** A document to try a hook on: what a renderer is given, with all that a metric is given. */
export interface Sample {
  name: string
  kind: string
  input: RenderInput<Json>
}

/** Characters and texts that must not come out of an exporter as they go in. */
export const hostileTexts = [
  '=HYPERLINK("http://e.example","x")',
  '+1+cmd|x',
  '@SUM(1)',
  '-2+3',
  'a,b;c\td"e\'f',
  '<script>alert(1)</script>',
  '\u001b[31mred',
  '\u202eabc',
  '\u0000',
  'two\r\nlines\u2028three',
] as const

export const sampleKinds = createKinds({ industryByHash })

/** Sample reports and workflows: clean, quiet, with defects, of a test run, and with hostile text. */
export function sampleDocuments(): Sample[] {
  const runPackage = fixturePackage()
  const quiet = fixturePackage({ items: 0 })
  const work = workflowPackage()
  const of = (name: string, kind: string, input: RenderInput<Json>): Sample => ({
    ...{ name, kind, input },
  })
  const report = renderInput(runPackage)
  return [
    of('a clean report', 'report', report),
    of('a quiet report', 'report', renderInput(quiet)),
    of('a report with defects', 'report', judged('report', report, withDefects(report.content))),
    of('a report of a test run', 'report', renderInput(runPackage, undefined, { test: true })),
    of('a hostile report', 'report', hostile(report)),
    of('a clean workflow', 'workflow', workflowRenderInput(work)),
    of(
      'a workflow of a test run',
      'workflow',
      workflowRenderInput(work, fixtureWorkflow(work), { test: true }),
    ),
  ]
}

/** The answers of an engine that make the sample report and the sample workflow. */
export const sampleAnswers = (): Record<
  'report' | 'workflow',
  { package: RunPackage; answers: unknown[] }
> => {
  const report = fixturePackage()
  const workflow = workflowPackage()
  return {
    report: { package: report, answers: [fixtureDraft(report)] },
    workflow: { package: workflow, answers: [workflowFixtureDraft(workflow)] },
  }
}

/** The input with other content, its findings and its evaluation. */
export function judged(
  name: 'report' | 'workflow',
  { package: runPackage, ...rest }: RenderInput<Json>,
  content: Json,
): RenderInput<Json> {
  const kind = sampleKinds.get(name)
  const parsed = kind.parse(content)
  const findings = kind.validate(parsed, runPackage)
  const evaluation = kind.evaluate(parsed, runPackage, findings)
  const metadata = { ...rest.metadata, score: evaluation.score }
  return { metadata, content: parsed, findings, evaluation, package: runPackage }
}

type Report = ReturnType<typeof renderInput>['content']

/** Without its first section's items, with an invented number, and with a line said twice. */
function withDefects(content: Report): Report {
  const spoilt = copy(content)
  const [first, second] = spoilt.sections
  if (first) first.items = first.items.slice(0, 1)
  const [item] = second?.items ?? []
  if (item) item.text = 'The agency fined 98,765 operators on 31 May 1999.'
  const [line] = spoilt.summary
  if (line) spoilt.summary.push({ ...line })
  return spoilt
}

/** Everything said twice: what no measure may reward. */
export function saidTwice(input: RenderInput<Report>): RenderInput<Json> {
  const content = copy(input.content)
  for (const section of content.sections)
    section.items = section.items.flatMap((item) => [item, { ...item, id: `${item.id}-again` }])
  return { ...input, content }
}

function hostile(input: RenderInput<Report>): RenderInput<Json> {
  let at = 0
  const next = () => hostileTexts[(at += 1) % hostileTexts.length] ?? ''
  const content = copy(input.content)
  for (const line of content.summary) line.text = next()
  for (const { items } of content.sections) for (const item of items) item.text = next()
  const evidence = input.package.evidence.map((item) => ({ ...item, title: next() }))
  const metadata = { ...input.metadata, title: next(), tenantName: next() }
  return { ...input, metadata, content, package: { ...input.package, evidence } }
}

const copy = <T>(value: T): T => structuredClone(value)
