import type {
  ArtifactFormat,
  ChangeReport,
  DocumentKindName,
  DocumentMetadata,
  Evaluation,
  Finding,
  Instruction,
  Json,
  Outline,
  OutlineElement,
  RunPackage,
} from '@almanac/domain'
import { z } from 'zod'

/**
 * One call to an engine: what is asked, over and above the run package. `n` counts calls of the
 * same kind within a run; `brief` is the only free text that a call adds; `inputHashes` name the
 * stored contents (an earlier draft, findings) that the brief was made from.
 */
export const call = z.strictObject({
  kind: z.enum(['draft', 'phase', 'expand', 'repair', 'variant', 'judge', 'embed']),
  n: z.int(),
  /** The phase or variant that the call is for; part of the call key. */
  part: z.string().exactOptional(),
  brief: z.string(),
  inputHashes: z.array(z.string()),
  /** Of a repair that does not answer the whole document: the kind of call whose answer it corrects. */
  corrects: z.literal('expand').exactOptional(),
})
export type Call = z.output<typeof call>

/** The name of a call, unique within its run: `draft:1`, `phase:1:how-to`, `repair:2`. */
export const callKey = ({ kind, n, part }: Call): string =>
  [kind, String(n), ...(part ? [part] : [])].join(':')

/** What an engine is told: `instructions` from the package's instruction, `input` the fenced data. */
export interface Prompt {
  instructions: string
  input: string
}

/** What a renderer is given: the metadata that every format shows, the content, its score. */
export interface RenderInput<Content> {
  metadata: DocumentMetadata
  content: Content
  evaluation: Evaluation
  findings: Finding[]
  package: RunPackage
  /** What is new against the document of the period before; without it nothing is said about that. */
  changes?: ChangeReport
}

/** A part of a document that is too complex, and what is asked for it. */
export interface ExpandablePart {
  /** The part's id, which its call has in its key. */
  id: string
  brief: string
}

/** What was read of an engine's answer; findings of severity error mean that there is no content. */
export type ReadContent<Content> =
  { content: Content; findings: [] } | { content: undefined; findings: Finding[] }

/** Which parts are to be expanded: those more complex than `above`, at most `most`, none of `tried`. */
export interface WantedExpansion {
  above: number
  most: number
  tried: readonly string[]
}

/** How a kind replaces parts of its documents that are too complex by several. Pure. */
export interface Expansion<Content> {
  /** The parts that are to be expanded, in the order of the document. */
  parts(content: Content, wanted: WantedExpansion): ExpandablePart[]
  /**
   * The content with one part replaced by what an engine answered to its call (of kind `expand`, or a
   * repair that corrects one), and what referred to the part referring to what took its place.
   */
  replace(
    runPackage: RunPackage,
    content: Content,
    call: Call,
    answer: unknown,
  ): ReadContent<Content>
}

/**
 * A kind of document. Everything here is pure: equal input gives equal output, whatever the clock,
 * the locale or the time zone of the process. `Content` is canonical JSON.
 */
export interface DocumentKind<Content> {
  readonly name: DocumentKindName
  readonly schemaVersion: number
  /** What the engine is told, of kinds without industry; null where the industry brings it. */
  readonly instruction: Instruction | null
  /** The JSON schema of what the engine must answer, made from the package's specification and scope. */
  jsonSchema(input: Pick<RunPackage, 'specification' | 'scope' | 'limits'>): Record<string, Json>
  /**
   * Of kinds whose calls do not each answer the whole document: the JSON schema of one call's answer. Pure,
   * like everything here, and made from nothing but the package and the call.
   */
  callSchema?(runPackage: Pick<RunPackage, 'output'>, call: Call): Record<string, Json>
  /**
   * The calls that make a first document, in order. Each is also given the answers of those before it:
   * their hashes are appended to its `inputHashes`.
   */
  calls(runPackage: RunPackage): Call[]
  /** The prompt of a call: a pure function of package, call and the contents named by its hashes. */
  prompt(runPackage: RunPackage, call: Call, inputs: readonly string[]): Prompt
  /**
   * Reads the engine's answers of `calls`, in their order, whatever the engine claims about them.
   */
  read(runPackage: RunPackage, answers: readonly unknown[]): ReadContent<Content>
  /**
   * What a version keeps of the one that it was made of though no engine answers it. Without it there is
   * nothing of that kind.
   */
  inherit?(content: Content, parent: Content): Content
  /** Of kinds whose parts can be too complex; without it nothing is expanded. */
  readonly expansion?: Expansion<Content>
  /** Parses stored content; throws when it is not of this kind. */
  parse(content: unknown): Content
  /** Every finding of a document against its package; an empty list is a clean document. */
  validate(content: Content, runPackage: RunPackage): Finding[]
  /** Metrics with reasons and their weighted mean, over content only. */
  evaluate(content: Content, runPackage: RunPackage, findings: Finding[]): Evaluation
  /** The content as elements, for diff and merge; `compose(outline(content))` equals `content`. */
  outline(content: Content): Outline
  /**
   * What of the content counts when documents of two periods are compared: not what restates other
   * elements or names the period, nor what `runPackage` does not ask for. Without it the outline does.
   */
  comparable?(content: Content, runPackage: RunPackage): Outline
  /** The content of elements that may be changed or merged; throws when they are not of this kind. */
  compose(elements: readonly OutlineElement[]): Content
  /** The stored bytes of each format, as text. */
  render: Record<ArtifactFormat, (input: RenderInput<Content>) => string>
}

/** A document kind with its content type forgotten, as the pipeline holds it. */
export type AnyDocumentKind = DocumentKind<Json>
