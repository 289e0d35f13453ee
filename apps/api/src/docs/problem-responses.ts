import {
  AlmanacError,
  errorEntry,
  problem,
  problemMediaType,
  problemOf,
  routes,
  type ErrorCode,
  type Operation,
} from '@almanac/domain'

/** Every problem that an operation can answer, the ones that follow from its kind included. */
export function problemCodes(operation: Operation): ErrorCode[] {
  const { method, realm, scope, takes, idempotent, errors } = routes[operation]
  const changes = method !== 'get' && realm === 'tenant'
  return [
    ...new Set<ErrorCode>([
      'INPUT_INVALID',
      ...errors,
      ...(scope === null
        ? []
        : ([
            ...(['KEY_MISSING', 'KEY_INVALID', 'KEY_EXPIRED', 'SCOPE_MISSING'] as const),
            realm === 'operator' ? 'KEY_NOT_OPERATOR' : 'KEY_NOT_TENANT',
          ] as const)),
      ...(changes ? (['TENANT_SUSPENDED'] as const) : []),
      ...(takes === 'json'
        ? (['BODY_NOT_JSON', 'BODY_TOO_LARGE', 'MEDIA_TYPE_UNSUPPORTED'] as const)
        : []),
      ...(idempotent ? (['IDEMPOTENCY_KEY_REUSED', 'IDEMPOTENCY_IN_PROGRESS'] as const) : []),
      'DATABASE_UNREACHABLE',
      'INTERNAL',
    ]),
  ]
}

/** The status that a code is answered with. */
export const statusOf = (code: ErrorCode): number => exampleOf(code).status

/** The problem of a code, with the sample parameters of the error table. */
export function exampleOf(code: ErrorCode) {
  const { sample } = errorEntry(code)
  // The table's own sample fits its row; only the union of all rows hides it.
  return problemOf(new AlmanacError(code, sample as never), 'req_01kafz7v3be8paw2y8m4x1qd0z')
}

/** The problem responses of an operation, one a status, each code with its example. */
export function problemResponses(operation: Operation) {
  const byStatus = Map.groupBy(problemCodes(operation), statusOf)
  const entries = [...byStatus].map(([status, codes]) => [
    String(status),
    {
      description: codes.map((code) => `\`${code}\`: ${errorEntry(code).title}`).join('; '),
      content: { [problemMediaType]: { schema: problem, examples: exampleRefs(codes) } },
    },
  ])
  return Object.fromEntries(entries) as Record<string, (typeof entries)[number][1] & object>
}

const exampleRefs = (codes: readonly ErrorCode[]) =>
  Object.fromEntries(codes.map((code) => [code, { $ref: `#/components/examples/${code}` }]))

/** One example a code that any operation can answer. */
export function problemExamples() {
  const codes = new Set((Object.keys(routes) as Operation[]).flatMap(problemCodes))
  return Object.fromEntries(
    [...codes].map((code) => [
      code,
      {
        summary: errorEntry(code).title,
        description: errorEntry(code).remedy,
        value: exampleOf(code),
      },
    ]),
  )
}
