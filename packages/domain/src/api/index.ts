import { budgetRoutes } from './budgets.ts'
import { checkpointRoutes } from './checkpoints.ts'
import { estimateRoutes } from './estimate.ts'
import { evidenceRoutes } from './evidence.ts'
import { keyRoutes } from './keys.ts'
import { moduleRoutes } from './modules.ts'
import { operatorRoutes } from './operators.ts'
import { runRoutes } from './runs.ts'
import { specificationRoutes } from './specifications.ts'
import { stopSpendRoutes } from './stop-spend.ts'
import { usageRoutes } from './usage.ts'
import { versionRoutes } from './versions.ts'

/** Every route of `/v1`, by operation name. */
export const routes = {
  ...specificationRoutes,
  ...runRoutes,
  ...versionRoutes,
  ...evidenceRoutes,
  ...moduleRoutes,
  ...keyRoutes,
  ...budgetRoutes,
  ...checkpointRoutes,
  ...usageRoutes,
  ...estimateRoutes,
  ...stopSpendRoutes,
  ...operatorRoutes,
} as const
export type Routes = typeof routes
export type Operation = keyof Routes

export * from './budgets.ts'
export * from './checkpoints.ts'
export * from './estimate.ts'
export * from './evidence.ts'
export * from './keys.ts'
export * from './modules.ts'
export * from './operators.ts'
export * from './pages.ts'
export * from './problem.ts'
export * from './route.ts'
export * from './runs.ts'
export * from './specifications.ts'
export * from './stop-spend.ts'
export * from './usage.ts'
export * from './versions.ts'
