import { z } from 'zod'
import { invalidParam, type ApiError } from './api-error.ts'

type Issue = z.core.$ZodIssue
type Path = readonly PropertyKey[]

/** Parses a request's body; throws ApiError (400) about the first thing wrong, as the provider words it. */
export function readParams<S extends z.ZodType>(schema: S, body: unknown): z.output<S> {
  const result = schema.safeParse(body)
  if (result.success) return result.data
  const [issue] = result.error.issues
  throw issue ? errorOf(issue, issue.path, body) : invalidParam(null, null, 'Invalid request.')
}

/** A parameter that the simulator knows but does not play: refused unless its value changes nothing. */
export const notPlayed = (...harmless: readonly unknown[]) =>
  z
    .unknown()
    .refine(
      (value) =>
        value == null ||
        harmless.includes(value) ||
        (Array.isArray(value) && value.length === 0 && harmless.includes('[]')),
      { params: { notPlayed: true } },
    )
    .optional()

/** Sixteen pairs of short texts, as the provider takes them. */
export const metadata = z
  .record(z.string().max(64), z.string().max(512))
  .refine((pairs) => Object.keys(pairs).length <= 16, { params: { tooManyPairs: true } })
  .nullish()

export const serviceTiers = [
  ...(['auto', 'default', 'flex', 'scale', 'priority', 'fast', 'ultrafast'] as const),
] as const

function errorOf(issue: Issue, path: Path, body: unknown): ApiError {
  const param = paramOf(path)
  const value = valueAt(body, path)
  switch (issue.code) {
    case 'invalid_type':
      return wrongType(param, issue.expected, value)
    case 'unrecognized_keys': {
      const name = paramOf([...path, issue.keys[0] ?? ''])
      return invalidParam(name, 'unknown_parameter', `Unknown parameter: '${name}'.`)
    }
    case 'invalid_value':
      return value === undefined
        ? wrongType(param, 'string', value)
        : wrongValue(param, issue.values.map(String), value)
    case 'too_small':
      return outOfBounds(param, issue.origin, 'below', 'minimum', '>=', issue.minimum, value)
    case 'too_big':
      return outOfBounds(param, issue.origin, 'above', 'maximum', '<=', issue.maximum, value)
    case 'invalid_union':
      return ofUnion(issue, path, body)
    case 'invalid_format':
      return invalidParam(
        param,
        'invalid_value',
        `Invalid '${param}': string does not match pattern. Expected a string that matches the pattern '${String('pattern' in issue ? issue.pattern : issue.format)}'.`,
      )
    case 'custom':
      return custom(param, issue.params, issue.message)
    case 'invalid_key':
    case 'invalid_element':
    case 'not_multiple_of':
      return invalidParam(param, 'invalid_value', `Invalid '${param}': ${issue.message}.`)
  }
}

function custom(param: string, params: Record<string, unknown> | undefined, message: string) {
  if (params?.notPlayed)
    return invalidParam(
      param,
      'unsupported_parameter',
      `Unsupported parameter: '${param}' is not played by this simulator.`,
    )
  if (params?.tooManyPairs)
    return invalidParam(
      param,
      'object_above_max_properties',
      `Invalid '${param}': too many properties. Expected an object with at most 16 properties.`,
    )
  return invalidParam(param, 'invalid_value', message)
}

/** Of a union's branches, the one that got furthest tells what is wrong. */
function ofUnion(
  issue: Extract<Issue, { code: 'invalid_union' }>,
  path: Path,
  body: unknown,
): ApiError {
  const value = valueAt(body, path)
  if ('options' in issue && Array.isArray(issue.options))
    return value === undefined
      ? wrongType(paramOf(path), 'string', value)
      : wrongValue(paramOf(path), issue.options.map(String), value)
  if (value === undefined) return wrongType(paramOf(path), 'string', value)
  const furthest = issue.errors
    .flatMap((branch) => branch.slice(0, 1))
    .filter(({ code, path: inner }) => code !== 'invalid_type' || inner.length > 0)
    .sort((a, b) => b.path.length - a.path.length)[0]
  if (furthest) return errorOf(furthest, [...path, ...furthest.path], body)
  const expected = issue.errors
    .flatMap(([first]) => (first?.code === 'invalid_type' ? [first.expected] : []))
    .map((type) => named(type))
  return invalidParam(
    paramOf(path),
    'invalid_type',
    `Invalid type for '${paramOf(path)}': expected ${expected.join(' or ')}, but got ${typeOf(value)} instead.`,
  )
}

function wrongType(param: string, expected: string, value: unknown): ApiError {
  if (param === '')
    return invalidParam(null, null, `Invalid body: expected an object, but got ${typeOf(value)}.`)
  if (value === undefined)
    return invalidParam(
      param,
      'missing_required_parameter',
      `Missing required parameter: '${param}'.`,
    )
  return invalidParam(
    param,
    'invalid_type',
    `Invalid type for '${param}': expected ${named(expected)}, but got ${typeOf(value)} instead.`,
  )
}

function wrongValue(param: string, allowed: readonly string[], value: unknown): ApiError {
  const quoted = allowed.map((one) => `'${one}'`)
  const list =
    quoted.length < 2 ? quoted.join('') : `${quoted.slice(0, -1).join(', ')}, and ${quoted.at(-1)}`
  return invalidParam(
    param,
    'invalid_value',
    `Invalid value: ${typeof value === 'string' ? `'${value}'` : JSON.stringify(value)}. Supported values are: ${list}.`,
  )
}

function outOfBounds(
  param: string,
  origin: string,
  side: 'below' | 'above',
  bound: 'minimum' | 'maximum',
  sign: '>=' | '<=',
  limit: number | bigint,
  value: unknown,
): ApiError {
  const short = bound.slice(0, 3)
  if (origin === 'string' || origin === 'array') {
    const size = typeof value === 'string' || Array.isArray(value) ? value.length : 0
    const what = side === 'above' ? 'too long' : size === 0 ? 'empty' : 'too short'
    return invalidParam(
      param,
      what === 'empty' ? `empty_${origin}` : `${origin}_${side}_${short}_length`,
      `Invalid '${param}': ${what} ${origin}. Expected ${named(origin)} with ${bound} length ${limit}, but got ${named(origin)} with length ${size} instead.`,
    )
  }
  const kind = Number.isInteger(value) ? 'integer' : 'decimal'
  return invalidParam(
    param,
    `${kind}_${side}_${short}_value`,
    `Invalid '${param}': ${kind} ${side} ${bound} value. Expected a value ${sign} ${limit}, but got ${String(value)} instead.`,
  )
}

/** `input[0].content`, as the provider names a parameter. */
const paramOf = (path: Path): string =>
  path
    .map((part, i) =>
      typeof part === 'number' ? `[${part}]` : `${i > 0 ? '.' : ''}${String(part)}`,
    )
    .join('')

const valueAt = (body: unknown, path: Path): unknown =>
  path.reduce<unknown>(
    (inner, key) =>
      typeof inner === 'object' && inner !== null ? Reflect.get(inner, key) : undefined,
    body,
  )

const articles: Record<string, string> = {
  int: 'an integer',
  array: 'an array',
  object: 'an object',
  record: 'an object',
}
const named = (type: string): string => articles[type] ?? `a ${type}`

function typeOf(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'an array'
  if (typeof value === 'number') return Number.isInteger(value) ? 'an integer' : 'a decimal'
  return named(typeof value)
}
