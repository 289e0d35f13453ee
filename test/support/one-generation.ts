import type { AnyDocumentKind, Call } from '@almanac/documents'
import { canonicalJson, type Json, type RunPackage } from '@almanac/domain'
import { sha256 } from '@almanac/domain/hash'
import { createDeterministicEngine } from '@almanac/llm'
import {
  briefText,
  gainOf,
  judgementOf,
  merge,
  variantBriefs,
  type Gain,
  type Judgement,
  type Variant,
} from '@almanac/refinement'

const engine = createDeterministicEngine()

/** What the deterministic engine answers to a call. */
export async function deterministicAnswer(
  runPackage: RunPackage,
  call: Call,
  inputs: string[],
): Promise<unknown> {
  const request = {
    package: runPackage,
    call,
    inputs,
    prompt: { instructions: '', input: '' },
    jsonSchema: {},
    maxOutputTokens: 16_000,
  }
  const outcome = await engine.generate(request, engine.body(request), AbortSignal.timeout(60_000))
  if (outcome.kind !== 'completed') throw new Error(JSON.stringify(outcome))
  return outcome.output
}

/** The one answer as content; throws the findings of an answer that is none. */
export function contentOf(kind: AnyDocumentKind, runPackage: RunPackage, answer: unknown): Json {
  const { content, findings } = kind.read(runPackage, [answer])
  if (content === undefined) throw new Error(JSON.stringify(findings))
  return content
}

const judged = (kind: AnyDocumentKind, runPackage: RunPackage, content: Json) => {
  const findings = kind.validate(content, runPackage)
  const evaluation = kind.evaluate(content, runPackage, findings)
  return { evaluation, findings, outline: kind.outline(content) }
}

export interface Generation {
  before: ReturnType<typeof judged>
  briefs: string[]
  variants: Variant<Json>[]
  content: Json
  after: ReturnType<typeof judged>
  parents: string[]
  gain: Gain
}

/** One generation of a document, as `refine` would make it: three briefs, three variants, one merge. */
export async function oneGeneration(
  kind: AnyDocumentKind,
  runPackage: RunPackage,
  base: Json,
): Promise<Generation> {
  const before = judged(kind, runPackage, base)
  const document = canonicalJson(base)
  const briefs = variantBriefs(before, 3)
  const judge = (content: Json): Judgement => {
    const { outline, evaluation, findings } = judged(kind, runPackage, content)
    return judgementOf(outline, evaluation, findings)
  }
  const variants = await Promise.all(
    briefs.map(async (brief, i): Promise<Variant<Json>> => {
      const call: Call = {
        kind: 'variant',
        n: 1,
        part: String(i + 1),
        brief: briefText(brief),
        inputHashes: [sha256(document)],
      }
      const answer = await deterministicAnswer(runPackage, call, [document])
      const content = contentOf(kind, runPackage, answer)
      return { id: `v${i + 1}`, content, depth: 1, ...judge(content) }
    }),
  )
  const { content, parents } = merge({ kind, judge }, base, variants, { decay: 0.05 })
  const after = judged(kind, runPackage, content)
  const gain = gainOf(before, after)
  return { before, briefs: briefs.map(briefText), variants, content, after, parents, gain }
}
