import { createKinds } from '@almanac/documents'
import {
  canonicalJson,
  entitlement,
  fieldMapping,
  parse,
  readEvidenceLine,
  reportSpecification,
  type Entitlement,
  type ReportSpecification,
} from '@almanac/domain'
import { sha256 } from '@almanac/domain/hash'
import { findIndustryByHash, getIndustry, industryHash } from '@almanac/industries'
import type { StoredEvidence } from '@almanac/pipeline'
import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

const root = resolve(import.meta.dirname, '../..')
const example = join(root, 'examples/us-regulation')

/** The real rules of 2022, read where they lie; tests that need them skip when they are missing. */
export const federalRules = resolve(root, '../shared/data/us-federal-rules-2022.ndjson')
export const hasFederalRules = existsSync(federalRules)
export const withoutFederalRules = `needs ${federalRules}, which is not here`

export const sampleEvidenceFile = join(example, 'evidence.ndjson')
export const samplePeriod = '2026-W40'

/** The example's specification, which the embedded profile runs on its first start. */
export const sampleSpecification = (over: Partial<ReportSpecification> = {}): ReportSpecification =>
  reportSpecification.parse({
    ...JSON.parse(readFileSync(join(example, 'specification.json'), 'utf8')),
    ...over,
  })

export const everythingBought: Entitlement = parse(entitlement, {
  industries: {
    'us-regulation': { deliverables: '*', regions: '*', links: '*' },
    polyurethane: { deliverables: '*', regions: '*', links: '*' },
  },
  workflows: true,
  fastestCadence: 'daily',
  activeSpecifications: 1_000,
  onDemandRunsPerMonth: 1_000,
})

/** The lines of a file as stored evidence of a source. */
export function readEvidence(file: string, source: string): StoredEvidence[] {
  const mapping = fieldMapping.parse({})
  const lines = readFileSync(file, 'utf8').split('\n').filter(Boolean)
  return lines.map((line) => {
    const item = readEvidenceLine(line, mapping)
    const hash = sha256(canonicalJson(item))
    return { ...item, id: `${source}/${item.itemId}`, source, revision: 1, hash }
  })
}

export const kinds = createKinds({ industryByHash: findIndustryByHash })
export const industries = { get: getIndustry, hash: industryHash }

/** Every key of an industry: a specification that orders all there is. */
export const wholeScope = (id: string) => {
  const { deliverables, regions, links } = getIndustry(id)
  const keys = (entries: readonly { key: string }[]) => entries.map(({ key }) => key)
  return { deliverables: keys(deliverables), regions: keys(regions), links: keys(links) }
}
