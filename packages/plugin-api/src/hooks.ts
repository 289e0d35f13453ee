import type { DocumentKind, JudgedCheck, RenderInput } from '@almanac/documents'
import type { Finding, Json, RunPackage } from '@almanac/domain'
import type {
  Engine,
  MergeInput,
  TerminationInput,
  VariantDraft,
  VariantInput,
} from '@almanac/pipeline'
import type { MergeProposal } from '@almanac/refinement'

export type { MergeInput, MergeProposal, TerminationInput, VariantDraft, VariantInput }

/**
 * The places where a plugin takes part. A hook gets data and answers data: it runs in a thread of its
 * plugin, all that it is given is a copy, and what it answers is parsed. Each must be pure (equal input,
 * equal answer, no clock, no dice, no memory), except an engine's `generate` and a deliverer's `deliver`.
 */
export interface Hooks {
  engines?: readonly Engine[]
  kinds?: readonly KindHook[]
  metrics?: readonly MetricHook[]
  judges?: readonly JudgeHook[]
  exporters?: readonly ExporterHook[]
  deliverers?: readonly DelivererHook[]
  variants?: readonly VariantHook[]
  merges?: readonly MergeHook[]
  terminations?: readonly TerminationHook[]
}

export type Awaitable<T> = T | Promise<T>

/**
 * A kind of document. Specifications of kind `base` order it by `documentKind`; its name begins with
 * `x-`. What a method throws fails the run.
 */
export interface KindHook extends Omit<DocumentKind<Json>, 'expansion' | 'inherit'> {
  readonly name: `x-${string}`
  /** Whose specification it is made from: of `report` there is evidence, of `workflow` there is none. */
  readonly base: 'report' | 'workflow'
}

export interface MetricInput {
  content: Json
  package: RunPackage
  findings: readonly Finding[]
}

/**
 * One more metric of a kind of document. With plugins' weights of 0.1 and 0.15, the kind's own metrics
 * weigh 0.75 of what they do without; all plugins together may weigh up to 0.5 of a kind.
 */
export interface MetricHook {
  readonly name: string
  /** The kind of document that it measures. */
  readonly kind: string
  /** Its share of the conformance score, above 0, up to 0.5. */
  readonly weight: number
  /** 0 to 1, over content only; below 1 the reasons say what to change, one line each. */
  measure(input: MetricInput): Awaitable<{ value: number; reasons: string[] }>
}

/**
 * A metric of a kind of document that a model measures: the share of yes/no checks that hold. The plugin
 * says what is asked, Almanac asks. Its weight counts as that of a metric does, where a document is judged.
 */
export interface JudgeHook {
  readonly name: string
  /** The kind of document that is judged. */
  readonly kind: string
  /** Its share of the conformance score, above 0, up to 0.5. */
  readonly weight: number
  /**
   * The checks of a document, 1 to 20, made from its run package: questions that only the document can
   * answer, with yes where it does what the specification wants.
   */
  checklist(input: { package: RunPackage }): Awaitable<JudgedCheck[]>
}

/** One more format of documents, stored and delivered beside JSON, Markdown and HTML. */
export interface ExporterHook {
  /** Lower-case, such as `csv`; also the file's ending. */
  readonly format: string
  /** The kinds of document that it writes. */
  readonly kinds: readonly string[]
  /** The whole text, which must be inert: nothing in it may run where it is opened. */
  export(input: RenderInput<Json>): Awaitable<string>
}

/** A finished document on its way to a deliverer. */
export interface Delivery {
  /** Stays the same however often the delivery is tried: what was done under it need not be done again. */
  id: string
  tenantId: string
  runId: string
  specificationId: string
  periodKey: string | null
  artifacts: { format: string; mediaType: string; sha256: string; bytes: number; text: string }[]
}

/** Takes finished documents where they should go. */
export interface DelivererHook {
  readonly name: string
  /** Answers what is worth keeping, such as where it went; throws when it must be tried again. */
  deliver(delivery: Delivery, signal: AbortSignal): Awaitable<Json>
}

/**
 * Says what the variants of a generation are told: briefs made of findings and failed checks, at least one
 * each, and only of those that the document has. Specifications choose it by its name.
 */
export interface VariantHook {
  readonly name: string
  briefs(input: VariantInput): Awaitable<VariantDraft[]>
}

/**
 * Proposes one document of several. Almanac composes it, judges it, and takes it only when it scores at
 * least what each of its parents does and has no finding that none of them has.
 */
export interface MergeHook {
  readonly name: string
  merge(input: MergeInput): Awaitable<MergeProposal>
}

/**
 * One more condition that ends a refinement; it may end one earlier than the guard, never later. It is
 * asked before each generation; what it says is recorded, and must depend on the input alone.
 */
export interface TerminationHook {
  readonly name: string
  /** Why the refinement ends, in a sentence; null while it may go on. */
  stops(input: TerminationInput): Awaitable<string | null>
}
