import { routes, type Operation } from '@almanac/domain'
import type { Response } from 'express'
import type { AnyAnswer } from './route-handler.ts'

/**
 * Sends an answer. With `check`, a JSON body is held against the route's schema first: a field too
 * many, or one of another shape, is an error of ours and never leaves the process.
 */
export async function sendAnswer(
  operation: Operation,
  answer: AnyAnswer,
  response: Response,
  check: boolean,
): Promise<void> {
  const route = routes[operation]
  response.status(answer.status ?? route.status)
  if (!('bytes' in answer)) response.setHeader('cache-control', 'no-store')
  for (const [name, value] of Object.entries(answer.headers ?? {})) response.setHeader(name, value)
  if ('empty' in answer) response.end()
  else if ('bytes' in answer) response.end(answer.bytes)
  else if ('body' in answer) {
    if (check) assertFits(operation, answer.body)
    response.setHeader('content-type', 'application/json; charset=utf-8')
    response.end(JSON.stringify(answer.body))
  } else {
    response.flushHeaders()
    // Asked for the head alone, a stream has no end to wait for.
    if (response.req.method === 'HEAD') response.end()
    else await writeAll(answer.stream, response)
  }
}

/** Writes pieces as fast as they are read, until there are no more or nobody reads any longer. */
async function writeAll(stream: AsyncIterable<string>, response: Response): Promise<void> {
  for await (const piece of stream) {
    if (response.destroyed) return
    if (!response.write(piece)) await drained(response)
  }
  response.end()
}

const drained = (response: Response): Promise<void> =>
  new Promise((resolve) => {
    const done = () => {
      response.off('drain', done)
      response.off('close', done)
      resolve()
    }
    response.on('drain', done)
    response.on('close', done)
  })

function assertFits(operation: Operation, body: unknown): void {
  const fits = routes[operation].response.safeParse(body)
  if (fits.success) return
  const cause = fits.error
  throw new Error(`the answer of ${operation} does not fit its schema`, { cause })
}
