import { mediaTypes, routes, type Operation } from '@almanac/domain'
import {
  createDocument,
  type ZodOpenApiOperationObject,
  type ZodOpenApiPathsObject,
  type ZodOpenApiRequestBodyObject,
  type ZodOpenApiResponseObject,
} from 'zod-openapi'
import { evidenceLines, examples } from './examples.ts'
import {
  furtherStatuses,
  idempotencyHeader,
  requestHeaders,
  responseHeaders,
} from './operation-notes.ts'
import { problemExamples, problemResponses } from './problem-responses.ts'

export type OpenApi = ReturnType<typeof createDocument>

/** The OpenAPI 3.1 document of every route of the contract. */
export function createOpenApi(): OpenApi {
  const document = createDocument({
    openapi: '3.1.0',
    info: {
      title: 'Almanac',
      version: '1.0.0',
      description:
        'Specification-bound documents for many tenants, on a cadence. Lists answer `{ data, nextCursor }`, newest first. Problems follow RFC 9457; their codes are explained at /docs/errors. Every answer carries a `Request-Id`.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/', description: 'This server' }],
    tags: [...new Set(Object.values(routes).map(({ tag }) => tag))].map((name) => ({ name })),
    security: [{ key: [] }],
    paths: pathsOf(),
    components: {
      securitySchemes: {
        operatorKey: {
          type: 'http',
          scheme: 'bearer',
          bearerFormat: 'almop_…',
          description:
            'A key of those who run the installation; `almanac key create --operator` makes one. It is of no tenant.',
        },
        key: {
          type: 'http',
          scheme: 'bearer',
          bearerFormat: 'alm_…',
          description: 'An API key; `almanac key create` makes one. It names its tenant by itself.',
        },
      },
      examples: problemExamples(),
    },
  })
  return withNamedJson(document)
}

/** Every `z.json()` is a schema that refers to itself and has no name; they are all the same one. */
const withNamedJson = (document: OpenApi): OpenApi =>
  JSON.parse(JSON.stringify(document).replaceAll(/__schema\d+/g, 'Json')) as OpenApi

function pathsOf(): ZodOpenApiPathsObject {
  const paths: ZodOpenApiPathsObject = {}
  for (const operation of Object.keys(routes) as Operation[]) {
    const { path, method } = routes[operation]
    const address = path.replaceAll(/:(\w+)/g, '{$1}')
    paths[address] = { ...paths[address], [method]: operationOf(operation) }
  }
  return paths
}

function operationOf(operation: Operation): ZodOpenApiOperationObject {
  const route = routes[operation]
  const { tag, summary, realm, scope, status, params, query } = route
  const scoped = needsOf(operation)
  const description = 'description' in route ? `${route.description}\n\n${scoped}` : scoped
  const body = requestBodyOf(operation)
  return {
    operationId: operation,
    tags: [tag],
    summary,
    description,
    ...(scope === null ? { security: [] } : {}),
    ...(realm === 'operator' ? { security: [{ operatorKey: [] }] } : {}),
    parameters: headersOf(operation),
    requestParams: { path: params, query },
    ...(body ? { requestBody: body } : {}),
    responses: {
      [`${status}`]: successOf(operation),
      ...furtherOf(operation),
      ...problemResponses(operation),
    },
  }
}

/** Which key an operation takes. */
export function needsOf(operation: Operation): string {
  const { realm, scope } = routes[operation]
  if (scope === null) return 'Needs no key.'
  return `Needs ${realm === 'operator' ? 'an operator’s key' : 'a key'} with the scope \`${scope}\`.`
}

function headersOf(operation: Operation) {
  const own = requestHeaders[operation] ?? []
  const notes = routes[operation].idempotent ? [idempotencyHeader, ...own] : own
  return notes.map(({ name, description, required = false, example }) => ({
    name,
    in: 'header' as const,
    description,
    required,
    schema: { type: 'string' as const },
    example,
  }))
}

function requestBodyOf(operation: Operation): ZodOpenApiRequestBodyObject | undefined {
  const { takes, body } = routes[operation]
  if (takes === 'none') return undefined
  if (takes === 'ndjson') {
    const lines = evidenceLines.map((line) => JSON.stringify(line)).join('\n')
    const schema = { type: 'string' as const, description: 'One JSON object a line; gzip is read.' }
    return { required: true, content: { 'application/x-ndjson': { schema, example: lines } } }
  }
  const example = examples[operation]?.body
  const mediaType =
    routes[operation].method === 'patch' ? 'application/merge-patch+json' : 'application/json'
  const content = { schema: body, ...(example === undefined ? {} : { example }) }
  return { required: !body.safeParse({}).success, content: { [mediaType]: content } }
}

function successOf(operation: Operation): ZodOpenApiResponseObject {
  const { gives, response, summary } = routes[operation]
  const headers = headersOfResponse(operation)
  const example = examples[operation]?.response
  const json = { schema: response, ...(example === undefined ? {} : { example }) }
  const content = {
    json: { 'application/json': json },
    sse: {
      'text/event-stream': {
        schema: { type: 'string' as const },
        example: 'id: 1\nevent: run.queued\ndata: {"seq":1,"type":"run.queued",…}\n\n',
      },
      'application/json': json,
    },
    csv: { 'application/json': json, 'text/csv': { schema: { type: 'string' as const } } },
    negotiated: {
      'application/json': json,
      'text/plain': { schema: { type: 'string' as const } },
      'text/html': { schema: { type: 'string' as const } },
    },
    bytes: Object.fromEntries(
      Object.values(mediaTypes).map((type) => [type, { schema: { type: 'string' as const } }]),
    ),
  }[gives]
  return { description: summary, headers, content }
}

function furtherOf(operation: Operation): Record<string, ZodOpenApiResponseObject> {
  const { response } = routes[operation]
  const headers = headersOfResponse(operation)
  const statuses = Object.entries(furtherStatuses[operation] ?? {})
  return Object.fromEntries(
    statuses.map(([status, description]) => {
      const empty = status === '204' || status === '304'
      const content = { 'application/json': { schema: response } }
      return [status, { description, headers, ...(empty ? {} : { content }) }]
    }),
  )
}

function headersOfResponse(operation: Operation) {
  const notes = { 'Request-Id': 'The id of this request.', ...responseHeaders[operation] }
  return Object.fromEntries(
    Object.entries(notes).map(([name, description]) => [
      name,
      { description, schema: { type: 'string' as const } },
    ]),
  )
}
