import type { JudgedCheck } from '@almanac/documents'
import type { DocumentKindName, RunPackage } from '@almanac/domain'
import type { Engine } from '../ports.ts'

/** A metric that a model measures: yes/no checks of a document, made from what its specification wants. */
export interface Checklist {
  /** Its name in evaluations. */
  name: string
  /** The kind of document that it measures. */
  kind: DocumentKindName
  /** Its share of the conformance score, where the document is judged. */
  weight: number
  /** Rejects where whoever brings it throws, hangs, or answers what is not valid. */
  checks(runPackage: RunPackage, signal: AbortSignal): Promise<JudgedCheck[]>
}

/** Who judges finished documents, and by what. */
export interface Judge {
  /** The engine that judges, or in words why there is none. */
  engine: Engine | { none: string }
  checklists: readonly Checklist[]
}

/** Nothing is judged. */
export const noJudge: Judge = { engine: { none: 'no judge is set up' }, checklists: [] }
