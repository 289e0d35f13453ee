import { AlmanacError, type DocumentKindName, type Json } from '@almanac/domain'
import type { AnyDocumentKind, DocumentKind, RenderInput } from './kind.ts'
import { createReportKind, type KindPorts } from './report/report-kind.ts'
import { workflowKind } from './workflow/workflow-kind.ts'

/** The document kinds of this Almanac, by name. */
export interface DocumentKinds {
  /** Throws INPUT_INVALID for a kind that is named in the vocabulary but cannot be made yet. */
  get(name: DocumentKindName): AnyDocumentKind
}

/**
 * The registry of document kinds: what is neither listed here nor given as `further`, by plugins, does
 * not exist.
 */
export function createKinds(
  ports: KindPorts,
  further: readonly AnyDocumentKind[] = [],
): DocumentKinds {
  const kinds = new Map<DocumentKindName, AnyDocumentKind>([
    ['report', forgetContent(createReportKind(ports))],
    ['workflow', forgetContent(workflowKind)],
    ...further.map((kind) => [kind.name, kind] as const),
  ])
  return {
    get(name) {
      const kind = kinds.get(name)
      if (kind) return kind
      const makes = [...kinds.keys()].join(' or ')
      const message = `must be ${makes}: documents of the kind ${name} cannot be made yet`
      throw new AlmanacError('INPUT_INVALID', {
        issues: [
          {
            field: name.startsWith('x-') ? 'documentKind' : 'kind',
            message,
            value: JSON.stringify(name),
          },
        ],
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
  const { render, expansion } = kind
  const owned = (input: RenderInput<Json>): RenderInput<Content> =>
    isOwn(input.content)
      ? (input as RenderInput<Content>)
      : { ...input, content: parse(input.content) }
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
    outline: (content) => kind.outline(parse(content)),
    comparable: (content, runPackage) =>
      kind.comparable?.(parse(content), runPackage) ?? kind.outline(parse(content)),
    compose(elements) {
      const content = kind.compose(elements)
      own.add(content)
      return content
    },
    inherit(content, parent) {
      const before = parse(content)
      const after = kind.inherit?.(before, parse(parent)) ?? before
      own.add(after)
      return after
    },
    ...(expansion && {
      expansion: {
        parts: (content, wanted) => expansion.parts(parse(content), wanted),
        replace(runPackage, content, call, answer) {
          const result = expansion.replace(runPackage, parse(content), call, answer)
          if (result.content !== undefined) own.add(result.content)
          return result
        },
      },
    }),
    render: {
      json: (input) => render.json(owned(input)),
      markdown: (input) => render.markdown(owned(input)),
      html: (input) => render.html(owned(input)),
    },
  }
}
