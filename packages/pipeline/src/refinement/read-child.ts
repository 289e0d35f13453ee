import type { Call } from '@almanac/documents'
import { AlmanacError, type Finding, type Json } from '@almanac/domain'
import { gainOf } from '@almanac/refinement'
import type { CallContext } from '../calls/call-engine.ts'
import { judged, type JudgedDocument } from './judged.ts'

type Context = Pick<CallContext, 'package' | 'kind'>
type Of = { call: Call; parent: JudgedDocument }

/**
 * The answer to a child's call as a document, or the findings that a repair has to close: errors, and of
 * an expansion every finding that its parent has not.
 */
export function readChild(
  context: Context,
  { call, parent }: Of,
  output: unknown,
): { made: JudgedDocument; findings: [] } | { made?: undefined; findings: Finding[] } {
  const { package: runPackage, kind } = context
  const { content, findings } = readContent(context, { call, parent }, output)
  if (content === undefined) return { findings }
  const made = judged(kind, runPackage, content)
  const errors = made.findings.filter(isError)
  if (errors.length > 0) return { findings: errors }
  const added = call.kind === 'expand' ? gainOf(parent, made).opened : []
  return added.length > 0 ? { findings: added } : { made, findings: [] }
}

function readContent(
  { package: runPackage, kind }: Context,
  { call, parent }: Of,
  output: unknown,
): { content: Json | undefined; findings: Finding[] } {
  if (call.kind === 'expand') {
    if (!kind.expansion) throw new Error(`a ${kind.name} has no parts to expand`)
    return kind.expansion.replace(runPackage, parent.content, call, output)
  }
  const read = kind.read(runPackage, [output])
  if (read.content === undefined || !kind.inherit) return read
  return { content: kind.inherit(read.content, parent.content), findings: [] }
}

const isError = ({ severity }: Finding): boolean => severity === 'error'

/** What a child fails with whose last answer still has findings. */
export function invalidChild({ kind, part = '' }: Call, findings: Finding[]): AlmanacError {
  if (kind !== 'expand' || findings.some(isError))
    return new AlmanacError('OUTPUT_INVALID', { findings })
  const places = findings.slice(0, 5).map(({ code, path }) => `${code} at ${path}`)
  const because = `they add findings that were not there before (${places.join(', ')})`
  return new AlmanacError('EXPANSION_REJECTED', { phase: part, because })
}

/** The child, unless it is an expansion that is worth less than its parent. Throws EXPANSION_REJECTED. */
export function notWorse(call: Call, parent: JudgedDocument, made: JudgedDocument): JudgedDocument {
  const [before, after] = [parent.evaluation.score, made.evaluation.score]
  if (call.kind !== 'expand' || after >= before) return made
  const because = `the score would fall from ${before} to ${after}`
  throw new AlmanacError('EXPANSION_REJECTED', { phase: call.part ?? '', because })
}
