import type { Operation, Routes } from '@almanac/domain'
import type { z } from 'zod'

type Exact<S> = S extends z.ZodType ? z.input<S> : never

/** Bodies that can be sent as they are, and what comes back; held against the schemas by a test. */
type Examples = {
  [O in Operation]?: { body?: Exact<Routes[O]['body']>; response?: Exact<Routes[O]['response']> }
}

const ids = {
  key: 'key_01kafz7v3be8paw2y8m4x1qd0k',
  principal: 'prn_01kafz7v3be8paw2y8m4x1qd0m',
  specification: 'spec_01kafz7v3be8paw2y8m4x1qd0n',
  run: 'run_01kafz7v3be8paw2y8m4x1qd0p',
  checkpoint: 'chk_01kafz7v3be8paw2y8m4x1qd0s',
  version: 'ver_01kafz7v3be8paw2y8m4x1qd0t',
  document: 'doc_01kafz7v3be8paw2y8m4x1qd0q',
  artifact: 'art_01kafz7v3be8paw2y8m4x1qd0r',
  source: 'src_01kafz7v3be8paw2y8m4x1qd0s',
  operator: 'opr_01kafz7v3be8paw2y8m4x1qd0v',
} as const

const specification = {
  kind: 'report',
  name: 'US rules weekly',
  title: 'US regulation, week by week',
  industry: 'us-regulation',
  deliverables: ['final-rules', 'proposed-rules'],
  regions: ['national', 'texas'],
  links: ['aviation', 'energy'],
  sources: ['federal-register'],
  cadence: 'weekly',
  timeZone: 'America/New_York',
} as const

const run: Exact<Routes['getRun']['response']> = {
  id: ids.run,
  specificationId: ids.specification,
  specificationName: 'US rules weekly',
  revision: 1,
  state: 'succeeded',
  stage: 'persist',
  trigger: 'api',
  test: false,
  narrowed: false,
  periodKey: '2022-W10',
  ordinal: 0,
  onConflict: 'refuse',
  origin: null,
  metadata: { ticket: '4711' },
  externalId: null,
  parked: null,
  error: null,
  documentId: ids.document,
  score: 0.94,
  costMicroUsd: 0,
  standing: 'current',
  deadlineAt: '2026-11-22T08:00:00.000Z',
  createdAt: '2026-11-21T08:00:00.000Z',
  startedAt: '2026-11-21T08:00:00.010Z',
  finishedAt: '2026-11-21T08:00:00.090Z',
}

const mapping = {
  itemId: 'document_number',
  publishedAt: 'publication_date',
  title: 'title',
  text: 'abstract',
  url: 'html_url',
  withdrawn: 'withdrawn',
  attributes: ['agency', 'docket'],
}

const key = {
  id: ids.key,
  name: 'nightly import',
  principalId: ids.principal,
  scopes: ['evidence:write' as const],
  createdAt: '2026-11-21T08:00:00.000Z',
  expiresAt: '2027-11-21T08:00:00.000Z',
  revokedAt: null,
  lastUsedAt: null,
}

export const examples: Examples = {
  createSpecification: { body: { ...specification, ...mutable(specification) } },
  changeSpecification: { body: { regions: ['national'], offsetMinutes: 60 } },
  pauseSpecification: { body: { reason: 'the source is being moved' } },
  grantPeriod: { body: { period: '2022-W10', reason: 'the first document cited a wrong docket' } },
  createRun: {
    body: {
      specificationId: ids.specification,
      period: '2022-W10',
      metadata: { ticket: '4711' },
    },
    response: run,
  },
  getRun: { response: run },
  rerunRun: { body: { fromStage: 'execute' } },
  retractRun: { body: { reason: 'it cites a rule that was withdrawn' } },
  registerModule: {
    body: {
      key: 'data-sheet-check',
      phase: 'check',
      name: 'Safety data sheet check',
      purpose: 'Checks that each safety data sheet is complete and in date.',
      steps: ['Open the sheet of each substance.', 'Compare its date with the supplier’s list.'],
      inputs: ['Safety data sheets'],
      outputs: ['Checked safety data sheets'],
    },
  },
  decideCheckpoint: { body: { decision: 'approve', reason: 'two findings are still open' } },
  decideCheckpoints: {
    body: { filter: { specificationId: ids.specification } },
    response: {
      kind: 'preview',
      count: 1,
      estimate: { microUsd: 36_000, tokens: 9_300 },
      checkpointIds: [ids.checkpoint],
      token: 'eyJ0ZW5hbnRJZCI6…',
      expiresAt: '2026-11-21T08:15:00.000Z',
    },
  },
  lendCheckpoint: { body: { principalId: ids.principal } },
  rollBackRun: { body: { versionId: ids.version, reason: 'the second draft lost a section' } },
  createSource: { body: { name: 'federal-register', mapping } },
  importEvidence: {
    response: {
      source: 'federal-register',
      lines: 3,
      new: 1,
      changed: 0,
      unchanged: 1,
      refused: 1,
      problems: [{ line: 2, reason: 'publishedAt: must be an instant' }],
    },
  },
  createKey: {
    body: {
      name: key.name,
      scopes: ['evidence:write'],
      expiresAt: '2027-11-21T08:00:00.000Z',
    },
    response: { ...key, secret: 'alm_…' },
  },
  setSpendStop: {
    body: { scope: 'provider', provider: 'openai', reason: 'the invoice is being looked at' },
    response: {
      scope: 'provider',
      tenantId: null,
      provider: 'openai',
      reason: 'the invoice is being looked at',
      stoppedBy: ids.operator,
      stoppedAt: '2026-11-21T08:00:00.000Z',
      changed: true,
    },
  },
  reconcileUsage: {
    body: {
      provider: 'openai',
      thresholdPercent: 1,
      lines: [
        {
          day: '2026-11-20',
          model: 'gpt-5.4-mini',
          inputTokens: 1_204_331,
          outputTokens: 330_127,
          costUsd: '2.386815',
        },
      ],
    },
  },
  stopSpending: { body: { reason: 'the new prompt costs more than it should' } },
  setBudget: {
    body: { level: 'specification', specificationId: ids.specification, microUsd: 5_000_000 },
    response: {
      level: 'specification',
      specificationId: ids.specification,
      period: null,
      limit: { microUsd: 5_000_000, tokens: null },
      held: { microUsd: 31_000, tokens: 9_000 },
      spent: { microUsd: 1_240_000, tokens: 410_000 },
      overrun: { microUsd: 0, tokens: 0 },
      blocked: false,
    },
  },
}

/** The example's lists as lists that could be changed, which is how the schema has them. */
function mutable({ deliverables, regions, links, sources }: typeof specification) {
  return {
    deliverables: [...deliverables],
    regions: [...regions],
    links: [...links],
    sources: [...sources],
  }
}

/** What a line of an evidence import looks like, under the default mapping. */
export const evidenceLines = [
  {
    id: 'FAA-2022-0155-0001',
    publishedAt: '2022-03-07T05:00:00Z',
    title: 'Airworthiness Directives: Example Airplanes',
    agency: 'FAA',
  },
  {
    id: 'EPA-2022-0101-0002',
    publishedAt: '2022-03-08T05:00:00Z',
    title: 'Air Plan Approval; Texas',
    agency: 'EPA',
  },
]
