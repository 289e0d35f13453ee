import { evidenceRoutes } from './evidence.ts'
import { keyRoutes } from './keys.ts'
import { runRoutes } from './runs.ts'
import { specificationRoutes } from './specifications.ts'

/** Every route of `/v1`, by operation name. */
export const routes = {
  ...specificationRoutes,
  ...runRoutes,
  ...evidenceRoutes,
  ...keyRoutes,
} as const
export type Routes = typeof routes
export type Operation = keyof Routes

export * from './evidence.ts'
export * from './keys.ts'
export * from './pages.ts'
export * from './problem.ts'
export * from './route.ts'
export * from './runs.ts'
export * from './specifications.ts'
