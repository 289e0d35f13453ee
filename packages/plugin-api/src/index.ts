export type * from './hooks.ts'
export {
  checkPlugin,
  definePlugin,
  manifest,
  manifestOf,
  pluginApiVersion,
  type Manifest,
  type Plugin,
  type PluginCheck,
} from './plugin.ts'
// What hooks are written in: the packages that it comes from are not published.
export type { DocumentKind, JudgedCheck, RenderInput } from '@almanac/documents'
export type {
  Evaluation,
  Finding,
  Json,
  Outline,
  OutlineElement,
  RunPackage,
} from '@almanac/domain'
export type { Engine, EngineRequest, Outcome } from '@almanac/pipeline'
