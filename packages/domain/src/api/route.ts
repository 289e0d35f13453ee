import { z } from 'zod'
import type { KeyScope, OperatorScope } from '../access.ts'
import type { ErrorCode } from '../errors.ts'

/**
 * One route of the HTTP API: what it takes, what it answers, who may call it. Server, OpenAPI
 * document and client are all made from this value, so that they cannot disagree.
 */
export interface Route<
  Params extends z.ZodType = z.ZodType,
  Query extends z.ZodType = z.ZodType,
  Body extends z.ZodType = z.ZodType,
  Response extends z.ZodType = z.ZodType,
> {
  method: 'get' | 'post' | 'put' | 'patch' | 'delete'
  /** As Express writes it: `/v1/runs/:id`. */
  path: string
  tag: string
  summary: string
  description?: string
  /** Whose key it takes: a tenant's, or an operator's. */
  realm: 'tenant' | 'operator'
  /** The key scope that the call needs; null for routes that anybody may call. */
  scope: KeyScope | OperatorScope | null
  params: Params
  query: Query
  body: Body
  /** `json` bodies are parsed at once; `ndjson` is streamed line by line; `none` has no body. */
  takes: 'none' | 'json' | 'ndjson'
  status: 200 | 201 | 202 | 204
  response: Response
  /**
   * `json` answers `response`; `bytes` and `sse` stream what has a media type of its own; `negotiated`
   * answers `response`, or, where the caller asks so, the same as text for people, and `csv` as CSV.
   */
  gives: 'json' | 'bytes' | 'sse' | 'negotiated' | 'csv'
  /** Whether `Idempotency-Key` is honoured. */
  idempotent: boolean
  errors: readonly ErrorCode[]
}

type Given<T, Key extends string, Default> =
  T extends Record<Key, infer V extends z.ZodType> ? V : Default

type Partials =
  | 'realm'
  | 'params'
  | 'query'
  | 'body'
  | 'takes'
  | 'status'
  | 'gives'
  | 'idempotent'
  | 'errors'
  | 'response'

export type Definition = Omit<Route, Partials> & Partial<Pick<Route, Partials>>

type Literal<T, Key extends string, Default> = T extends Record<Key, infer V> ? V : Default

/** The route that a definition makes: what it takes and gives stays known to the type. */
export type RouteOf<D extends Definition> = Route<
  Given<D, 'params', typeof nothing>,
  Given<D, 'query', typeof nothing>,
  Given<D, 'body', typeof nothing>,
  Given<D, 'response', typeof nothing>
> & {
  realm: Literal<D, 'realm', 'tenant'>
  takes: Literal<D, 'takes', D extends Record<'body', z.ZodType> ? 'json' : 'none'>
  gives: Literal<D, 'gives', 'json'>
  idempotent: Literal<D, 'idempotent', false>
}

/** The schema of no parameters, no query, no body. */
export const nothing = z.strictObject({})

/** Declares a route; what is left out is a tenant's, empty, JSON, 200, and without errors of its own. */
export function defineRoute<const D extends Definition>(definition: D): RouteOf<D> {
  const { body } = definition
  return {
    realm: 'tenant',
    params: nothing,
    query: nothing,
    body: nothing,
    response: nothing,
    takes: body ? 'json' : 'none',
    status: 200,
    gives: 'json',
    idempotent: false,
    errors: [],
    ...definition,
  } as unknown as RouteOf<D>
}
