export * from './nouns/index.ts'
export {
  connectDatabase,
  type Database,
  type DatabaseOptions,
  type DatabaseUrls,
  type Purpose,
  type Trx,
} from './pool.ts'
export type { Schema } from './schema.ts'
