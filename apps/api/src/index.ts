export { createApi, type Api } from './create-api.ts'
export type { Readiness } from './health.ts'
export { apiLimits, type ApiLimits, type ApiLog, type ApiOptions } from './parts.ts'
export { startApi, type RunningApi } from './start-api.ts'
