import { sha256 } from '@almanac/domain/hash'
import type { RequestHandler, Router } from 'express'
import { apiPage } from './api-page.ts'
import { errorsPage } from './errors-page.ts'
import { createOpenApi } from './openapi.ts'
import { pagePolicy, pageStyle } from './page.ts'

/** The documentation: made once, when it is first asked for, from the contract and the error table. */
export function bindDocs(router: Router): void {
  router.get(
    '/openapi.json',
    fixed('application/json; charset=utf-8', () => openApiText()),
  )
  router.get('/docs', fixed('text/html; charset=utf-8', apiPage))
  router.get('/docs/errors', fixed('text/html; charset=utf-8', errorsPage))
  router.get(
    '/docs/style.css',
    fixed('text/css; charset=utf-8', () => pageStyle),
  )
}

const openApiText = (): string => JSON.stringify(createOpenApi(), null, 2)

/** Answers a text that stays the same while the process lives. */
function fixed(mediaType: string, make: () => string): RequestHandler {
  let made: { text: string; etag: string } | undefined
  return (request, response) => {
    if (!made) {
      const text = make()
      made = { text, etag: `"${sha256(text).slice(0, 32)}"` }
    }
    response.setHeader('content-security-policy', pagePolicy)
    response.setHeader('cache-control', 'no-cache')
    response.setHeader('etag', made.etag)
    if (request.get('if-none-match') === made.etag) {
      response.status(304).end()
      return
    }
    response.setHeader('content-type', mediaType)
    response.end(made.text)
  }
}
