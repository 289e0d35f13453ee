import type { Authenticator } from '../authenticate.ts'
import type { FurtherIssues } from '../binding/bind-routes.ts'
import type { Handlers } from '../binding/route-handler.ts'
import type { ApiParts } from '../parts.ts'
import type { RunWatcher } from '../watching/run-watcher.ts'
import { artifactHandlers } from './artifacts.ts'
import { budgetHandlers } from './budgets.ts'
import { checkpointHandlers } from './checkpoints.ts'
import { estimateHandlers } from './estimates.ts'
import { evidenceHandlers } from './evidence.ts'
import { keyHandlers } from './keys.ts'
import { moduleHandlers } from './modules.ts'
import { operatorHandlers } from './operators.ts'
import { runDetailHandlers } from './run-details.ts'
import { runHandlers } from './runs.ts'
import { specificationIssues } from './specification-issues.ts'
import { specificationHandlers } from './specifications.ts'
import { stopSpendHandlers } from './stop-spend.ts'
import { usageHandlers } from './usage.ts'
import { versionHandlers } from './versions.ts'

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
  ...versionHandlers(parts),
  ...evidenceHandlers(parts),
  ...moduleHandlers(parts),
  ...keyHandlers(parts, authenticator),
  ...budgetHandlers(parts),
  ...checkpointHandlers(parts),
  ...usageHandlers(parts),
  ...estimateHandlers(parts),
  ...stopSpendHandlers(parts),
  ...operatorHandlers(parts),
})

/** What no schema knows of a body. */
export const furtherIssues = (parts: ApiParts): FurtherIssues => ({
  createSpecification: specificationIssues(parts),
})
