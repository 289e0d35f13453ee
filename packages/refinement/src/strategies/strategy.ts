import type { FindingCode, VariantStrategy } from '@almanac/domain'

interface Strategy {
  /** What it is told to do, in one sentence. */
  task: string
  /** The metrics that it raises, of any kind of document. */
  metrics: readonly string[]
}

/** What each strategy does and looks at; a metric that none of them names is for `restructure`. */
export const strategies: Record<VariantStrategy, Strategy> = {
  'coverage-gaps': {
    task: 'Add what is missing: report, or take up in a task, what the checks below name as not covered, each in its place, from what the package holds. Change nothing else.',
    metrics: ['coverage', 'quiet'],
  },
  brevity: {
    task: 'Say the same in fewer words: shorten or leave out what the findings and checks below name, and keep what it rests on. Change nothing else.',
    metrics: ['concision'],
  },
  'evidence-depth': {
    task: 'Put every statement named below on what the package holds: correct what it cites and where it stands, or say only what is cited; of a task, name the thing, number, place or rule at hand, and what it needs and makes. Change nothing else.',
    metrics: ['grounding', 'citation', 'specificity'],
  },
  restructure: {
    task: 'Put in order what the findings and checks below name: one place for each thing, in the order of the specification, nothing twice, nothing that does not belong, nothing that waits for itself. Keep what is said.',
    metrics: ['scope', 'flow', 'dependencies', 'fit'],
  },
}

/** The strategy that closes a finding. */
export const strategyOfFinding: Record<FindingCode, VariantStrategy> = {
  SCHEMA_INVALID: 'restructure',
  UNKNOWN_CITATION: 'evidence-depth',
  MISSING_CITATION: 'evidence-depth',
  OUT_OF_SCOPE_KEY: 'restructure',
  OUT_OF_SCOPE_TEXT: 'restructure',
  UNMATCHED_CELL: 'evidence-depth',
  UNGROUNDED: 'evidence-depth',
  UNJUSTIFIED_QUIET: 'coverage-gaps',
  MISSING_SECTION: 'coverage-gaps',
  DUPLICATE_ITEM: 'restructure',
  TOO_LONG: 'brevity',
  UNSAFE_TEXT: 'restructure',
  UNKNOWN_REFERENCE: 'restructure',
  DEPENDENCY_CYCLE: 'restructure',
}
