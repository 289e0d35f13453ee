import { AlmanacError, documentKinds, type DocumentKindName, type Json } from '@almanac/domain'
import type { AnyDocumentKind, DocumentKind } from './kind.ts'
import { createReportKind, type KindPorts } from './report/report-kind.ts'

/** The document kinds of this Almanac, by name. */
export interface DocumentKinds {
  /** Throws INPUT_INVALID for a kind that is named in the vocabulary but cannot be made yet. */
  get(name: DocumentKindName): AnyDocumentKind
}

/** The registry of document kinds: what is not listed here does not exist. */
export function createKinds(ports: KindPorts): DocumentKinds {
  const kinds = new Map([createReportKind(ports)].map((kind) => [kind.name, forgetContent(kind)]))
  return {
    get(name) {
      const kind = kinds.get(name)
      if (kind) return kind
      const makes = documentKinds.filter((known) => kinds.has(known)).join(' or ')
      const message = `must be ${makes}: documents of the kind ${name} cannot be made yet`
      throw new AlmanacError('INPUT_INVALID', {
        issues: [{ field: 'kind', message, value: JSON.stringify(name) }],
      })
    },
  }
}

/**
 * A kind as the pipeline holds it. Content that this kind itself has read or parsed is known to be its
 * own; anything else is parsed where it comes in.
 */
function forgetContent<Content extends Json & object>(
  kind: DocumentKind<Content>,
): AnyDocumentKind {
  const own = new WeakSet<object>()
  const isOwn = (content: unknown): content is Content =>
    typeof content === 'object' && content !== null && own.has(content)
  const parse = (content: unknown): Content => {
    if (isOwn(content)) return content
    const parsed = kind.parse(content)
    own.add(parsed)
    return parsed
  }
  const { render } = kind
  return {
    ...kind,
    parse,
    read(runPackage, answers) {
      const result = kind.read(runPackage, answers)
      if (result.content !== undefined) own.add(result.content)
      return result
    },
    validate: (content, runPackage) => kind.validate(parse(content), runPackage),
    evaluate: (content, runPackage, findings) =>
      kind.evaluate(parse(content), runPackage, findings),
    render: {
      json: (input) => render.json({ ...input, content: parse(input.content) }),
      markdown: (input) => render.markdown({ ...input, content: parse(input.content) }),
      html: (input) => render.html({ ...input, content: parse(input.content) }),
    },
  }
}
