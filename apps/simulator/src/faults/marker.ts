import { invalidParam } from '../wire/api-error.ts'
import { faultInput, faultNames, needsGeneration, type Fault } from './fault.ts'
import type { RequestFacts } from './fault-book.ts'

const opening = '[[simulate:'
const longest = 400
const form = /^\[\[simulate:([a-z0-9_]+)((?:\s+[A-Za-z]+=[^\s\]]+)*)\s*\]\]/

/**
 * The fault that a marker in a request's body asks for, such as `[[simulate:truncated]]` or
 * `[[simulate:rate_429 retryAfterSeconds=61]]`. Throws ApiError for one that names no fault.
 */
export function markedFault(facts: Pick<RequestFacts, 'body' | 'generates'>): Fault | undefined {
  const at = facts.body.indexOf(opening)
  if (at < 0) return undefined
  const text = facts.body.subarray(at, at + longest).toString('utf8')
  const [, name, parameters = ''] = form.exec(text) ?? []
  const parsed = faultInput.safeParse(
    parameters.trim() === '' ? name : { name, ...Object.fromEntries(pairs(parameters)) },
  )
  if (!parsed.success)
    throw invalidParam(
      null,
      'simulator_marker_invalid',
      `The marker ${text.slice(0, text.indexOf(']]') + 2 || 60)} names no fault, or a parameter that it does not have. Faults: ${faultNames.join(', ')}.`,
    )
  return !facts.generates && needsGeneration(parsed.data) ? undefined : parsed.data
}

const pairs = (parameters: string): [string, unknown][] =>
  parameters
    .trim()
    .split(/\s+/)
    .map((pair) => {
      const [key = '', ...value] = pair.split('=')
      return [key, scalar(value.join('='))]
    })

function scalar(text: string): unknown {
  if (text === 'true' || text === 'false') return text === 'true'
  if (text === 'null') return null
  return /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text
}
