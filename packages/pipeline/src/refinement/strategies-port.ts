import type { Evaluation, FailedCheck, Finding, Outline, RefinementLimits } from '@almanac/domain'
import type { Lineage, MergeProposal } from '@almanac/refinement'

/**
 * The strategies of refinement that plugins bring, by the names under which specifications choose them.
 * Each is asked for data and answers data; it rejects where the plugin throws, hangs, or answers what is
 * not valid, and the refinement that asked then ends with the best that it has.
 */
export interface Strategies {
  /** What variants are told: at most `count` briefs, each of findings and failed checks of the document. */
  variants: Readonly<Record<string, Ask<VariantInput, VariantDraft[]>>>
  /** Proposes one document of several; who judges it is Almanac. */
  merges: Readonly<Record<string, Ask<MergeInput, MergeProposal>>>
  /** Why a refinement ends, in one line; null while it may go on. */
  terminations: Readonly<Record<string, Ask<TerminationInput, string | null>>>
}

type Ask<Input, Answer> = (input: Input, signal: AbortSignal) => Promise<Answer>

export interface VariantInput {
  evaluation: Evaluation
  findings: readonly Finding[]
  outline: Outline
  /** The most briefs that may be answered. */
  count: number
}

/** What a variant of a document is told to improve. */
export interface VariantDraft {
  task: string
  findings: Finding[]
  checks: FailedCheck[]
}

export interface MergeInput {
  ancestor: Outline
  variants: readonly {
    id: string
    depth: number
    outline: Outline
    score: number
    findings: readonly Finding[]
  }[]
  /** What each step of depth costs of a score. */
  decay: number
}

export interface TerminationInput {
  lineage: Lineage
  limits: RefinementLimits
}

/** Where no plugin brings any: a specification chooses among Almanac's own. */
export const noStrategies: Strategies = { variants: {}, merges: {}, terminations: {} }
