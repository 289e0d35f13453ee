import { z } from 'zod'

type RawIssue = Parameters<z.core.$ZodErrorMap>[0]

const nouns: Record<string, string> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  record: 'an object',
  null: 'null',
}

const formats: Record<string, string> = {
  datetime: 'an instant in UTC such as 2026-11-21T08:00:00Z',
  url: 'an address',
  starts_with: 'a text with the right beginning',
}

const listed = (values: readonly unknown[]): string => values.map(String).join(', ')

/**
 * Zod's findings as sentences for people, which go on from the name of the field. Schemas that have
 * words of their own keep them.
 */
export const issueWording: z.core.$ZodErrorMap = (issue) => {
  const wording = wordingOf(issue)
  return issue.input === undefined && wording !== undefined ? `is missing; it ${wording}` : wording
}

function wordingOf(issue: RawIssue): string | undefined {
  switch (issue.code) {
    case 'invalid_type':
      return `must be ${nouns[issue.expected] ?? issue.expected}`
    case 'invalid_value':
      return issue.values.length === 1
        ? `must be ${listed(issue.values)}`
        : `must be one of ${listed(issue.values)}`
    case 'too_small':
      return sizeWording(issue, 'at least', issue.minimum, issue.inclusive)
    case 'too_big':
      return sizeWording(issue, 'at most', issue.maximum, issue.inclusive)
    case 'not_multiple_of':
      return `must be a multiple of ${issue.divisor}`
    case 'invalid_format':
      return `must be ${formats[issue.format] ?? 'of another form'}`
    case 'unrecognized_keys':
      return unknownWording(issue)
    case 'invalid_key':
      return 'has a name that is not allowed here'
    case 'invalid_union':
      return unionWording(issue)
    case 'invalid_element':
    case 'custom':
      return undefined
  }
}

function sizeWording(
  issue: RawIssue & { code: 'too_small' | 'too_big' },
  bound: 'at least' | 'at most',
  limit: number | bigint,
  inclusive = true,
): string {
  const size = `${bound} ${String(limit)}`
  const one = Number(limit) === 1
  if (issue.origin === 'string') return `must have ${size} ${one ? 'character' : 'characters'}`
  if (issue.origin === 'array') return `must have ${size} ${one ? 'entry' : 'entries'}`
  if (inclusive) return `must be ${size}`
  return `must be ${bound === 'at least' ? 'more' : 'less'} than ${String(limit)}`
}

function unionWording(issue: RawIssue & { code: 'invalid_union' }): string {
  const options = 'options' in issue && Array.isArray(issue.options) ? issue.options : []
  if (options.length > 0) return `must be one of ${listed(options)}`
  const alternatives = issue.errors.map((branch) =>
    branch.map(({ path, message }) => [...path.map(String), message].join(' ')).join(' and '),
  )
  return alternatives.length === 0 ? 'is not allowed' : alternatives.join(', or ')
}

function unknownWording({ inst }: RawIssue): string {
  const known = inst instanceof z.ZodObject ? Object.keys(inst.shape) : []
  return known.length === 0 ? 'is not known here' : `is not known here; known are ${listed(known)}`
}
