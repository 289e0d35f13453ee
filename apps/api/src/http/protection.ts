import compression from 'compression'
import type { RequestHandler } from 'express'
import helmet from 'helmet'

/**
 * Headers that let a browser do as little as possible with an answer. Pages and artifacts, which a
 * browser shows, bring a policy of their own.
 */
export const protection: RequestHandler = helmet({
  contentSecurityPolicy: {
    useDefaults: false,
    directives: {
      defaultSrc: ["'none'"],
      baseUri: ["'none'"],
      formAction: ["'none'"],
      frameAncestors: ["'none'"],
    },
  },
  xFrameOptions: { action: 'deny' },
  referrerPolicy: { policy: 'no-referrer' },
})

/** Compresses what gains from it. An event stream must reach its reader event by event. */
export const compress: RequestHandler = compression({
  filter: (request, response) =>
    !String(response.getHeader('content-type')).startsWith('text/event-stream') &&
    compression.filter(request, response),
})
