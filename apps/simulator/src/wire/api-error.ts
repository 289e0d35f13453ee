import type { ErrorObject } from 'openai/resources/shared'

/** An answer of the provider that is an error: status, body and headers as they go on the wire. */
export class ApiError extends Error {
  override readonly name = 'ApiError'
  readonly status: number
  readonly error: ErrorObject
  readonly headers: Record<string, string>

  constructor(
    status: number,
    error: Partial<ErrorObject> & { message: string },
    headers: Record<string, string> = {},
  ) {
    super(error.message)
    this.status = status
    this.error = { type: 'invalid_request_error', param: null, code: null, ...error }
    this.headers = headers
  }
}

/** A 400 about one parameter of the request. */
export const invalidParam = (param: string | null, code: string | null, message: string) =>
  new ApiError(400, { message, param, code })

/** Headers that tell when to come back; both forms, as the provider sends them. */
const retryAfter = (ms: number) => ({
  'retry-after': String(Math.ceil(ms / 1000)),
  'retry-after-ms': String(Math.ceil(ms)),
})

/** The provider's errors that are not about one parameter. */
export const apiErrors = {
  keyMissing: () =>
    new ApiError(401, {
      message:
        "You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer auth (i.e. Authorization: Bearer YOUR_KEY).",
    }),
  keyWrong: (shown: string) =>
    new ApiError(401, {
      message: `Incorrect API key provided: ${shown}.`,
      code: 'invalid_api_key',
    }),
  modelUnknown: (model: string) =>
    new ApiError(404, {
      message: `The model \`${model}\` does not exist or you do not have access to it.`,
      param: 'model',
      code: 'model_not_found',
    }),
  responseUnknown: (id: string) =>
    new ApiError(404, { message: `Response with id '${id}' not found.`, param: 'id' }),
  urlUnknown: (method: string, path: string) =>
    new ApiError(404, { message: `Invalid URL (${method} ${path})`, code: 'unknown_url' }),
  methodWrong: (method: string, path: string) =>
    new ApiError(405, {
      message: `Not allowed to ${method} on ${path}. (HINT: Perhaps you meant to use a different HTTP method?)`,
      code: 'method_not_supported',
    }),
  assistantsGone: () =>
    new ApiError(404, {
      message:
        'The Assistants API was shut down on 2026-08-26. Use the Responses API (POST /v1/responses) instead.',
      code: 'endpoint_shut_down',
    }),
  bodyNotJson: () =>
    new ApiError(400, {
      message:
        'We could not parse the JSON body of your request. (HINT: This likely means you aren’t using your HTTP library correctly. The API expects a JSON payload, but what was sent was not valid JSON.)',
    }),
  bodyTooLarge: (limitBytes: number) =>
    new ApiError(413, {
      message: `The request body is larger than the limit of ${limitBytes} bytes.`,
      code: 'request_too_large',
    }),
  contentTypeUnsupported: (found: string) =>
    new ApiError(415, {
      message: `Unsupported content type: '${found}'. This API method only accepts 'application/json' requests.`,
      code: 'unsupported_content_type',
    }),
  rateLimited: (message: string, type: string, waitMs: number | null) =>
    new ApiError(
      429,
      { message, type, code: 'rate_limit_exceeded' },
      waitMs === null ? {} : retryAfter(waitMs),
    ),
  billing: (code: string) =>
    new ApiError(429, {
      message:
        'You exceeded your current quota, please check your plan and billing details. For more information on this error, read the docs on error codes.',
      type: 'insufficient_quota',
      code,
    }),
  flexUnavailable: () =>
    new ApiError(429, {
      message: 'Resource unavailable: there is no flex capacity for this request right now.',
      type: 'rate_limit_error',
      code: 'resource_unavailable',
    }),
  serverError: (requestId: string) =>
    new ApiError(500, {
      message: `The server had an error while processing your request. Sorry about that! You can retry your request, or contact support if the error persists. (Please include the request ID ${requestId} in your message.)`,
      type: 'server_error',
    }),
  overloaded: (waitMs: number | null = null) =>
    new ApiError(
      503,
      {
        message: 'Our servers are currently overloaded. Please try again later.',
        type: 'service_unavailable_error',
        code: 'server_is_overloaded',
      },
      waitMs === null ? {} : retryAfter(waitMs),
    ),
  logFull: (limit: number) =>
    new ApiError(503, {
      message: `The simulator's request log holds its limit of ${limit} requests and loses none: DELETE /_control/requests, or raise maxLogEntries.`,
      type: 'server_error',
      code: 'simulator_log_full',
    }),
  logUnwritable: (reason: string) =>
    new ApiError(503, {
      message: `The simulator's log file cannot be written (${reason}), and no request goes unrecorded.`,
      type: 'server_error',
      code: 'simulator_log_unwritable',
    }),
}
