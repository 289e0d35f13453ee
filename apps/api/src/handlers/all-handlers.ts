import type { Authenticator } from '../authenticate.ts'
import type { FurtherIssues } from '../binding/bind-routes.ts'
import type { Handlers } from '../binding/route-handler.ts'
import type { ApiParts } from '../parts.ts'
import type { RunWatcher } from '../watching/run-watcher.ts'
import { artifactHandlers } from './artifacts.ts'
import { catalogueIssues } from './catalogue-issues.ts'
import { evidenceHandlers } from './evidence.ts'
import { keyHandlers } from './keys.ts'
import { runDetailHandlers } from './run-details.ts'
import { runHandlers } from './runs.ts'
import { specificationHandlers } from './specifications.ts'

/** A handler for every operation of the contract; one that is missing does not compile. */
export const allHandlers = (
  parts: ApiParts,
  authenticator: Authenticator,
  watcher: RunWatcher,
): Handlers => ({
  ...specificationHandlers(parts),
  ...runHandlers(parts, watcher),
  ...runDetailHandlers(parts, watcher),
  ...artifactHandlers(parts),
  ...evidenceHandlers(parts),
  ...keyHandlers(parts, authenticator),
})

/** What only the catalogue knows of a body. */
export const furtherIssues: FurtherIssues = { createSpecification: catalogueIssues }
