import type { AnyDocumentKind } from '@almanac/documents'
import type { Evaluation, Finding, Json, Outline, RunPackage } from '@almanac/domain'
import { judgementOf, type Judgement } from '@almanac/refinement'

/** A document with everything that its validator and its metrics say of it. */
export interface JudgedDocument {
  content: Json
  outline: Outline
  findings: Finding[]
  evaluation: Evaluation
}

/** Judges a document by nothing but itself and its package; pure. */
export function judged(
  kind: AnyDocumentKind,
  runPackage: RunPackage,
  content: Json,
): JudgedDocument {
  const findings = kind.validate(content, runPackage)
  const evaluation = kind.evaluate(content, runPackage, findings)
  return { content, outline: kind.outline(content), findings, evaluation }
}

/** The same as the merge needs it. */
export const asJudgement = ({ outline, evaluation, findings }: JudgedDocument): Judgement =>
  judgementOf(outline, evaluation, findings)
