/** An evidence item of the package below. */
export interface SampleEvidence {
  id: string
  title: string
  text: string
  matches: { deliverable: string; region: string; link: string }[]
}

export const sampleEvidence: SampleEvidence[] = [
  {
    id: 'register/2022-04711',
    title: 'Airspace Designations; Emmonak, Alaska',
    text: 'The rule amends airspace at Emmonak.',
    matches: [
      { deliverable: 'final-rules', region: 'alaska', link: 'aviation' },
      { deliverable: 'final-rules', region: 'national', link: 'aviation' },
    ],
  },
  {
    id: 'register/2022-04712',
    title: 'Standards for “Pipeline” Safety: 49 CFR Part 192',
    text: 'Final rule with a "quoted" word and a brace {.',
    matches: [{ deliverable: 'final-rules', region: 'national', link: 'energy' }],
  },
  {
    id: 'register/2022-04713',
    title: 'Airspace Designations; Emmonak, Alaska',
    text: 'A second item of the same title.',
    matches: [{ deliverable: 'comment-deadlines', region: 'alaska', link: 'aviation' }],
  },
]

/** A run package as a request carries it, with other evidence or parts of it replaced. */
export const samplePackage = (
  evidence: readonly SampleEvidence[] = sampleEvidence,
  replaced: object = {},
) => ({
  catalogue: {
    industry: 'us-regulation',
    version: '1.0.0',
    hash: '0'.repeat(64),
    deliverables: [
      { key: 'final-rules', label: 'Final rules', lexicon: {} },
      { key: 'comment-deadlines', label: 'Comment deadlines', lexicon: {} },
      { key: 'corrections', label: 'Corrections', lexicon: {} },
    ],
    regions: [
      { key: 'alaska', label: 'Alaska', lexicon: { terms: ['Alaska'] } },
      { key: 'national', label: 'National', fallback: true, lexicon: {} },
    ],
    links: [
      { key: 'aviation', label: 'Aviation', lexicon: {} },
      { key: 'energy', label: 'Energy', lexicon: {} },
    ],
  },
  evidence,
  limits: { maxItemsPerSection: 10, maxSummaryLines: 5, repairs: 2 },
  output: { kind: 'report', schemaVersion: 1, jsonSchema: sampleReportSchema },
  packageVersion: 1,
  run: { id: 'run_1', test: false },
  scope: {
    deliverables: ['final-rules', 'comment-deadlines', 'corrections'],
    regions: ['alaska', 'national'],
    links: ['aviation', 'energy'],
  },
  ...replaced,
})

const closed = (properties: Record<string, object>) => ({
  type: 'object',
  properties,
  required: Object.keys(properties),
  additionalProperties: false,
})
const texts = { type: 'array', items: { type: 'string' } }

/** A report's schema as Almanac writes it for the package above. */
export const sampleReportSchema = closed({
  summary: { type: 'array', items: closed({ text: { type: 'string' }, evidence: texts }) },
  sections: {
    type: 'array',
    items: closed({
      deliverable: { type: 'string', enum: ['final-rules', 'comment-deadlines', 'corrections'] },
      quiet: { type: 'boolean' },
      items: {
        type: 'array',
        items: closed({
          kind: { type: 'string', enum: ['fact', 'interpretation', 'implication'] },
          region: { type: 'string', enum: ['alaska', 'national'] },
          link: { type: 'string', enum: ['aviation', 'energy'] },
          text: { type: 'string' },
          evidence: texts,
        }),
      },
    }),
  },
})

/** The input of a request that carries `runPackage`, with prose and a brace around it. */
export const sampleInput = (runPackage: object = samplePackage()): string =>
  `Data follows { as JSON.\nBEGIN DATA\n${JSON.stringify(runPackage)}\nEND DATA\n\nTask: Write the report.`
