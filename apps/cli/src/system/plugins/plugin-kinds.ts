import { call, type AnyDocumentKind } from '@almanac/documents'
import { AlmanacError, evaluation, finding, outlineLevels } from '@almanac/domain'
import { z } from 'zod'
import type { PluginThread } from './plugin-thread.ts'

const jsonObject = z.record(z.string(), z.json())
const findings = z.array(finding)

export const outlineElement = z.strictObject({
  level: z.enum(outlineLevels),
  id: z.string().min(1),
  parentId: z.nullable(z.string()),
  value: jsonObject,
})
const placed = outlineElement.extend({
  path: z.string(),
  topics: z.array(z.string()).exactOptional(),
})
const reading = z.union([
  z.strictObject({ content: z.json(), findings: z.tuple([]) }),
  z.object({ findings }).transform(({ findings }) => ({ content: undefined, findings })),
])

/** The document kinds of a plugin, each method a call into its thread whose answer is parsed. */
export const pluginKinds = (thread: PluginThread): AnyDocumentKind[] =>
  thread.manifest.kinds.map(
    ({ name, base, schemaVersion, instruction, hasCallSchema }, index): AnyDocumentKind => {
      const now = <S extends z.ZodType>(schema: S, method: string, ...args: unknown[]) =>
        thread.callNow({ hook: 'kinds', index, method }, args, schema)
      return {
        ...{ name, schemaVersion, instruction },
        jsonSchema: (input) => {
          assertBase(base, name, input.specification.body.kind)
          return now(jsonObject, 'jsonSchema', input)
        },
        ...(hasCallSchema && {
          callSchema: (runPackage, asked) => now(jsonObject, 'callSchema', runPackage, asked),
        }),
        calls: (runPackage) => now(z.array(call).min(1).max(20), 'calls', runPackage),
        prompt: (runPackage, asked, inputs) =>
          now(
            z.strictObject({ instructions: z.string(), input: z.string() }),
            ...(['prompt', runPackage, asked, inputs] as const),
          ),
        read: (runPackage, answers) => now(reading, 'read', runPackage, answers),
        parse: (content) => now(z.json(), 'parse', content),
        validate: (content, runPackage) => now(findings, 'validate', content, runPackage),
        evaluate: (content, runPackage, found) =>
          now(evaluation, 'evaluate', content, runPackage, found),
        outline: (content) => now(z.array(placed), 'outline', content),
        compose: (elements) => now(z.json(), 'compose', elements),
        render: {
          json: (input) => now(z.string(), 'render.json', input),
          markdown: (input) => now(z.string(), 'render.markdown', input),
          html: (input) => now(z.string(), 'render.html', input),
        },
      }
    },
  )

function assertBase(base: string, name: string, kind: string): void {
  if (kind === base) return
  const message = `must be ordered by a specification of the kind ${base}, and this one is a ${kind}`
  throw new AlmanacError('INPUT_INVALID', {
    issues: [{ field: 'documentKind', message, value: JSON.stringify(name) }],
  })
}
