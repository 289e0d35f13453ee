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
