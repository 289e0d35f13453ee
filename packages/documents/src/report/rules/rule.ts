import type { Finding, RunPackage } from '@almanac/domain'
import type { ScopeScanner } from '@almanac/industries'
import type { Claim } from '../claims.ts'
import type { PackageIndex } from '../package-index.ts'
import type { ReportContent } from '../schema.ts'

/** What every rule of the validator looks at. */
export interface Judged {
  content: ReportContent
  claims: readonly Claim[]
  runPackage: RunPackage
  index: PackageIndex
  scanner: ScopeScanner
}

/** A rule of the validator: its findings, in the document's order. Pure. */
export type Rule = (judged: Judged) => Finding[]
