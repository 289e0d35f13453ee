import type { Caller, OperatorCaller, Trx } from '@almanac/db'
import type { Operation, Routes } from '@almanac/domain'
import type { Request } from 'express'
import type { z } from 'zod'

type Out<S> = S extends z.ZodType ? z.output<S> : never
type In<S> = S extends z.ZodType ? z.input<S> : never

/** A request after authentication, scope check and parsing. */
export interface Asked<O extends Operation, C = Caller> {
  params: Out<Routes[O]['params']>
  query: Out<Routes[O]['query']>
  body: Out<Routes[O]['body']>
  caller: C
  /** For headers, and for bodies that are streamed. */
  request: Request
  /** Aborts when the caller is gone or the process ends. */
  gone: AbortSignal
}

interface AnswerHead {
  /** Default: the route's. */
  status?: number
  headers?: Record<string, string>
}
export type JsonAnswer<B> = AnswerHead & { body: B }
export type BytesAnswer = AnswerHead & { bytes: Uint8Array }
export type StreamAnswer = AnswerHead & { stream: AsyncIterable<string> }
/** An answer without a body: 204 or 304. */
export type EmptyAnswer = AnswerHead & { status: 204 | 304; empty: true }
export type AnyAnswer = JsonAnswer<unknown> | BytesAnswer | StreamAnswer | EmptyAnswer

export type ResponseBody<O extends Operation> = In<Routes[O]['response']>

type AnswerOf<O extends Operation> = {
  json: JsonAnswer<ResponseBody<O>>
  bytes: BytesAnswer | EmptyAnswer
  negotiated: JsonAnswer<ResponseBody<O>> | BytesAnswer
  csv: JsonAnswer<ResponseBody<O>> | BytesAnswer
  sse: StreamAnswer | JsonAnswer<ResponseBody<O>> | EmptyAnswer
}[Routes[O]['gives']]

/** Answers one operation; throws AlmanacError for everything that is the caller's to know. */
export type Answering<O extends Operation, C = Caller> = (
  asked: Asked<O, C>,
) => Promise<AnswerOf<O>>

/**
 * A change that `Idempotency-Key` makes safe to repeat: the answer is recorded in the transaction of
 * the change itself, so that there is never one without the other.
 */
export interface Change<O extends Operation> {
  change(trx: Trx, asked: Asked<O>): Promise<JsonAnswer<ResponseBody<O>>>
  /** Runs after the commit, and after a replay; may answer something fresher. */
  afterwards?(
    asked: Asked<O>,
    answer: JsonAnswer<ResponseBody<O>>,
  ): Promise<JsonAnswer<ResponseBody<O>>>
  /** Records an attempt that was refused, of which the transaction has left nothing. */
  refused?(asked: Pick<Asked<O>, 'caller' | 'params'>, error: unknown): Promise<void>
}

export type Handler<O extends Operation> = Routes[O]['realm'] extends 'operator'
  ? Answering<O, OperatorCaller>
  : Routes[O]['idempotent'] extends true
    ? Change<O>
    : Answering<O>

/** Exactly one handler an operation: a route without one does not compile. */
export type Handlers<O extends Operation = Operation> = { [K in O]: Handler<K> }
