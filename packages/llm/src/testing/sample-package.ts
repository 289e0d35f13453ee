import {
  evidenceItem,
  runPackage,
  type EvidenceMatch,
  type PackageEvidence,
  type RunPackage,
  type Scope,
  type SpecificationInput,
} from '@almanac/domain'
import { hashOf } from '@almanac/domain/hash'
import { createMatcher, getIndustry, matchEvidence, scopedCatalogue } from '@almanac/industries'
import type { z } from 'zod'

/** An item of a sample: as a source delivers it; `matches` only where the industry is not asked. */
export type SampleItem = z.input<typeof evidenceItem> & { matches?: EvidenceMatch[] }

/** A report's run package over invented or given items, for tests: week 10 of 2022 in New York. */
export function samplePackage({
  industry: id = 'us-regulation',
  scope: asked = {},
  items,
  limits = {},
  cadence = {},
}: {
  industry?: string
  scope?: Partial<Scope>
  items: readonly SampleItem[]
  limits?: Partial<RunPackage['limits']>
  cadence?: Partial<RunPackage['cadence']>
}): RunPackage {
  const industry = getIndustry(id)
  const matcher = createMatcher(industry)
  const keys = (entries: readonly { key: string }[]) => entries.map(({ key }) => key)
  const scope = {
    deliverables: keys(industry.deliverables),
    regions: keys(industry.regions),
    links: keys(industry.links),
    ...asked,
  }
  const evidence = items.flatMap(({ matches, ...given }): PackageEvidence[] => {
    const item = evidenceItem.parse(given)
    const { itemId, ...rest } = item
    const cells = matches ?? matchEvidence(matcher, scope, item)
    const packed = { ...rest, id: `sample/${itemId}`, revision: 1, source: 'sample' }
    return cells.length === 0 ? [] : [{ ...packed, hash: hashOf(item), matches: cells }]
  })
  const specification = {
    kind: 'report',
    name: 'Weekly',
    title: 'Weekly report',
    cadence: 'weekly',
    timeZone: 'America/New_York',
    industry: id,
    ...scope,
    sources: ['sample'],
  } satisfies SpecificationInput
  return runPackage.parse({
    packageVersion: 1,
    tenantName: 'Harbour Ltd',
    instruction: industry.instruction,
    specification: {
      id: 'spec_01kafexamp1e00000000000000',
      revision: 1,
      hash: hashOf(specification),
      body: specification,
    },
    scope,
    narrowed: false,
    cadence: {
      kind: 'weekly',
      periodKey: '2022-W10',
      ordinal: 0,
      from: '2022-03-07T05:00:00Z',
      to: '2022-03-14T04:00:00Z',
      timeZone: 'America/New_York',
      ...cadence,
    },
    history: [],
    catalogue: scopedCatalogue(industry, scope),
    evidence,
    evidenceConsidered: items.length,
    evidenceIncluded: evidence.length,
    evidenceOmitted: [],
    evidenceLate: 0,
    output: { kind: 'report', schemaVersion: 1, jsonSchema: {} },
    limits: {
      maxPackageTokens: 60_000,
      maxOutputTokens: 16_000,
      maxItemsPerSection: 40,
      maxSummaryLines: 5,
      repairs: 2,
      runMicroUsd: 500_000,
      runTokens: 80_000,
      ...limits,
    },
  })
}
