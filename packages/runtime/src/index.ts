export {
  readClientConfig,
  readConfig,
  type ClientConfig,
  type Config,
  type EngineConfig,
} from './config/config.ts'
export { configurationMarkdown, envExample } from './config/configuration-docs.ts'
export { readEnvironment, type Environment } from './config/environment.ts'
export type { SealKey } from './config/setting.ts'
export {
  findEmbeddedPostgres,
  removeEmbeddedPostgres,
  startEmbeddedPostgres,
  type EmbeddedPostgres,
  type EmbeddedPostgresOptions,
} from './embedded-postgres/embedded-postgres.ts'
export { createLogger, type Log, type Logger } from './logger.ts'
export { createShutdown, type Shutdown, type ShutdownStep } from './shutdown.ts'
export { randomIds, systemClock } from './system-clock.ts'
