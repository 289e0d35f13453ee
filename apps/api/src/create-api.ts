import { readRunNews } from '@almanac/db'
import { createKinds } from '@almanac/documents'
import type { RunId } from '@almanac/domain'
import { findIndustryByHash } from '@almanac/industries'
import { noStrategies } from '@almanac/pipeline'
import { systemClock } from '@almanac/runtime'
import express, { type Express } from 'express'
import { randomBytes } from 'node:crypto'
import { createAuthenticator } from './authenticate.ts'
import { bindRoutes } from './binding/bind-routes.ts'
import { bindCheckpointPage } from './checkpoint-page/bind-checkpoint-page.ts'
import { bindDocs } from './docs/bind-docs.ts'
import { allHandlers, furtherIssues } from './handlers/all-handlers.ts'
import { livez, readyz } from './health.ts'
import { accessLog } from './http/access-log.ts'
import { answerProblems } from './http/problems.ts'
import { compress, protection } from './http/protection.ts'
import { requestId } from './http/request-id.ts'
import { refuseOtherMethods, refuseUnknown } from './http/unknown-address.ts'
import { apiLimits, type ApiOptions, type ApiParts } from './parts.ts'
import { createRunWatcher } from './watching/run-watcher.ts'

/** The API as an Express application; it has no socket of its own. */
export type Api = Express & {
  /** Ends event streams, and answers those who wait for a run, so that connections can close. */
  endWaiting(): void
  /** A run of this process's worker has ended; see `tellsEnds`. */
  runEnded(runId: RunId): void
}

/** The HTTP API: every route of the contract, its documentation, and its health. */
export function createApi(options: ApiOptions): Api {
  const closing = new AbortController()
  const parts: ApiParts = {
    kinds: createKinds({ industryByHash: findIndustryByHash }),
    strategies: noStrategies,
    wakeCancel: () => undefined,
    ready: {},
    urlOf: (path) => path,
    clock: systemClock,
    checkAnswers: true,
    tellsEnds: false,
    linkKeys: [randomBytes(32)],
    ...options,
    limits: { ...apiLimits, ...options.limits },
    closing: closing.signal,
  }
  const { db, log, limits, ready } = parts
  const authenticator = createAuthenticator(db, log, limits.keyCacheMs)
  const watcher = createRunWatcher((watched) => readRunNews(db, watched), log, {
    told: parts.tellsEnds,
  })

  const app = express()
  app.disable('x-powered-by').disable('etag')
  app.use(requestId, accessLog(log), protection, compress)
  app.get('/livez', livez)
  app.get('/readyz', readyz(db, ready, log))
  bindDocs(app)
  bindCheckpointPage(app, parts)
  const handlers = allHandlers(parts, authenticator, watcher)
  bindRoutes(app, parts, authenticator, handlers, furtherIssues(parts))
  refuseOtherMethods(app)
  app.use(refuseUnknown, answerProblems(log))
  return Object.assign(app, { endWaiting: () => closing.abort(), runEnded: watcher.tell })
}
