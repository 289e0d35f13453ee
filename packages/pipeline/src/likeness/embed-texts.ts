import type { Call } from '@almanac/documents'
import { canonicalJson } from '@almanac/domain'
import { z } from 'zod'
import { askAside } from '../calls/ask-aside.ts'
import type { CallContext, CallPorts } from '../calls/call-engine.ts'
import type { Engine } from '../ports.ts'
import { Elsewhere } from '../stage.ts'

/**
 * Characters of a text that are embedded as one: models read at most 8,192 tokens, and few scripts take
 * more than two a character.
 */
export const pieceCharacters = 4_000

/** Pieces of one request: providers take 2,048, and 300,000 tokens in all. */
const mostPieces = 100

/**
 * The vectors of texts, in their order, by one recorded call of the kind `embed`: the texts in pieces are
 * its stored input. A text of several pieces has the sum of their vectors, each by its share of the text.
 * What is answered is parsed like every engine's output; why there are no vectors is told in words.
 */
export async function embedTexts(
  context: CallContext,
  { part, texts }: { part: string; texts: readonly string[] },
  ports: CallPorts & { embedder: Engine },
  signal: AbortSignal,
  callMs: number,
): Promise<{ vectors: number[][] } | { why: string } | Elsewhere> {
  const cut = texts.map(piecesOf)
  const pieces = cut.flat()
  if (pieces.length > mostPieces) return { why: `the texts have more than ${mostPieces} pieces` }
  const [inputHash = ''] = await ports.content.put(context.run.tenantId, [canonicalJson(pieces)])
  const call: Call = { kind: 'embed', n: 1, part, brief: '', inputHashes: [inputHash] }
  const by = { ...ports, engine: ports.embedder }
  const answer = await askAside(context, call, by, signal, callMs)
  if (answer instanceof Elsewhere || 'why' in answer) return answer
  const vectors = readVectors(answer.output, pieces.length)
  if (!vectors) return { why: 'its answer does not have one vector a text, all of one length' }
  let at = 0
  return { vectors: cut.map((own) => weighted(own, vectors.slice(at, (at += own.length)))) }
}

/** The lines of a text in pieces; a line that is longer than a piece is cut. */
export function piecesOf(text: string): string[] {
  const pieces: string[] = []
  let piece = ''
  for (const line of text.split('\n'))
    for (const part of cutLine(line)) {
      if (piece !== '' && piece.length + 1 + part.length > pieceCharacters) {
        pieces.push(piece)
        piece = ''
      }
      piece = piece === '' ? part : `${piece}\n${part}`
    }
  return piece === '' ? pieces : [...pieces, piece]
}

function cutLine(line: string): string[] {
  const count = Math.max(1, Math.ceil(line.length / pieceCharacters))
  return Array.from({ length: count }, (_, i) =>
    line.slice(i * pieceCharacters, (i + 1) * pieceCharacters).toWellFormed(),
  )
}

const embeddings = z.object({ vectors: z.array(z.base64()) })

/** The vectors of an engine's answer; undefined unless there are `count`, of one length and all numbers. */
function readVectors(output: unknown, count: number): number[][] | undefined {
  const parsed = embeddings.safeParse(output)
  if (!parsed.success || parsed.data.vectors.length !== count) return undefined
  const vectors = parsed.data.vectors.map(floatsOf)
  const [length = 0] = vectors.map((vector) => vector.length)
  const isWhole = vectors.every(
    (vector) => vector.length === length && vector.every((value) => Number.isFinite(value)),
  )
  return isWhole && length > 0 ? vectors : undefined
}

function floatsOf(base64: string): number[] {
  const bytes = Buffer.from(base64, 'base64')
  const count = Math.floor(bytes.length / 4)
  return Array.from({ length: count }, (_, i) => bytes.readFloatLE(i * 4))
}

const weighted = (pieces: readonly string[], vectors: readonly number[][]): number[] =>
  (vectors[0] ?? []).map((_, i) =>
    vectors.reduce((sum, vector, p) => sum + (vector[i] ?? 0) * (pieces[p]?.length ?? 0), 0),
  )
