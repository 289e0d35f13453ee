import type {
  Evaluation,
  FailedCheck,
  Finding,
  Outline,
  OutlineElement,
  RefinementLimits,
} from '@almanac/domain'
import type { Lineage } from '@almanac/refinement'

/**
 * The strategies of refinement that plugins bring, by the names under which specifications choose them.
 * Each is asked for data and answers data; it rejects where the plugin throws, hangs, or answers what is
 * not valid, and the refinement that asked then ends with the best that it has.
 */
export interface Strategies {
  /** What variants are told: at most `count` briefs, each of findings and failed checks of the document. */
  variants: Readonly<Record<string, Ask<VariantQuestion, VariantAnswer[]>>>
  /** Proposes one document of several; who judges it is Almanac. */
  merges: Readonly<Record<string, Ask<MergeQuestion, MergeAnswer>>>
  /** Why a refinement ends, in one line; null while it may go on. */
  terminations: Readonly<
    Record<string, Ask<{ lineage: Lineage; limits: RefinementLimits }, string | null>>
  >
}

type Ask<Question, Answer> = (question: Question, signal: AbortSignal) => Promise<Answer>

interface VariantQuestion {
  evaluation: Evaluation
  findings: readonly Finding[]
  outline: Outline
  count: number
}

interface VariantAnswer {
  task: string
  findings: Finding[]
  checks: FailedCheck[]
}

interface MergeQuestion {
  ancestor: Outline
  variants: readonly {
    id: string
    depth: number
    outline: Outline
    score: number
    findings: readonly Finding[]
  }[]
  decay: number
}

interface MergeAnswer {
  elements: OutlineElement[]
  /** Ids of the question's variants, each once. */
  parents: string[]
}

/** Where no plugin brings any: a specification chooses among Almanac's own. */
export const noStrategies: Strategies = { variants: {}, merges: {}, terminations: {} }
