import type { Finding } from '@almanac/domain'
import type { z } from 'zod'
import { clipped, pointer } from './finding.ts'

/** So many schema findings say that the answer is something else altogether. */
const mostFindings = 50

/** Some servers answer structured output as text; text that is no JSON is left to the schema. */
export function parsedText(answer: unknown): unknown {
  if (typeof answer !== 'string') return answer
  try {
    return JSON.parse(answer)
  } catch {
    return answer
  }
}

/** White space, line breaks included, as one space. */
export const oneSpace = (text: string) => text.replace(/\s+/g, ' ').trim()

/** What of an answer does not fit its schema. */
export function schemaFindings(error: z.ZodError, answer: unknown): Finding[] {
  return error.issues.map((issue) => {
    const value = issue.path.reduce<unknown>(
      (inner, key) =>
        typeof inner === 'object' && inner !== null ? Reflect.get(inner, key) : undefined,
      answer,
    )
    const found = shown(value)
    if (issue.code === 'unrecognized_keys')
      return invalid(issue.path, 'has fields that do not belong here', 'no others', found)
    const expected =
      issue.code === 'invalid_type'
        ? issue.expected
        : issue.code === 'invalid_value'
          ? issue.values.join(', ')
          : undefined
    return invalid(issue.path, issue.message, expected, found)
  })
}

/** What stands in the answer, in few words: an answer may be large, and of any type. */
function shown(value: unknown): string {
  if (value === undefined) return 'nothing'
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 200))
  if (Array.isArray(value)) return `an array of ${value.length}`
  if (typeof value !== 'object' || value === null) return String(value)
  return `an object with the fields ${Object.keys(value)
    .slice(0, 12)
    .map((key) => JSON.stringify(key))
    .join(', ')}`
}

/** No content, and the first findings that say why. */
export function refuse(findings: Finding[]): { content: undefined; findings: Finding[] } {
  const more = findings.length - mostFindings
  const shown = findings.slice(0, mostFindings)
  if (more > 0) shown.push(invalid([], `${more} more parts of the answer do not fit the schema`))
  return { content: undefined, findings: shown }
}

/** One SCHEMA_INVALID. */
export function invalid(
  path: readonly PropertyKey[],
  message: string,
  expected?: string,
  found?: string,
): Finding {
  return {
    code: 'SCHEMA_INVALID',
    severity: 'error',
    path: pointer(path),
    message,
    ...(expected === undefined ? {} : { expected: clipped(expected) }),
    ...(found === undefined ? {} : { found: clipped(found) }),
  }
}
