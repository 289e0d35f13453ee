import { join, resolve } from 'node:path'
import { whatIsSet, type Environment } from './environment.ts'
import { checkedSettings, secretsOf } from './problems.ts'
import type { SealKey } from './setting.ts'
import type { Settings } from './settings.ts'

/** What the whole system is told at its start; parsed once, then only passed on. */
export interface Config {
  /** `embedded` when Almanac runs a Postgres of its own, `standard` when DATABASE_URL names one. */
  profile: 'embedded' | 'standard'
  production: boolean
  /** Absolute. */
  dataDir: string
  /** Absolute. */
  deliveryDir: string
  /** The Postgres that was named, with the logins of its three roles; null in the embedded profile. */
  database: { url: string; owner: string; app: string; system: string } | null
  /** Where the jobs travel: null means Postgres itself. */
  redisUrl: string | null
  sealKeys: SealKey[]
  api: { host: string; port: number }
  client: ClientConfig
  engine: EngineConfig
  plugins: PluginConfig
  /** The files of industries that are installed beside those that Almanac brings. */
  industryFiles: string[]
  /** The names of the deliverers that take each finished document. */
  deliverers: string[]
  /** Jobs of a stage that waits for an engine which a process runs at once. */
  concurrency: number
  logLevel: Settings['ALMANAC_LOG_LEVEL']
  shutdownGraceMs: number
  /** Every secret text above, for the logger to hide. */
  secrets: string[]
  /** What somebody who starts Almanac should read, one sentence each. */
  notices: string[]
}

/** Where the command line finds Almanac, and the API key that it shows, if one was set. */
export interface ClientConfig {
  url: string
  key: string | undefined
}

export interface PluginConfig {
  /** Paths or package names. */
  modules: string[]
  /** What plugins see of the environment: the names that begin with PLUGIN_. */
  environment: Record<string, string>
}

export type EngineConfig =
  | { kind: 'deterministic' }
  | {
      kind: 'openai'
      apiKey: string | undefined
      baseUrl: string
      api: Settings['LLM_API']
      model: string
      /** The model that judges finished documents, where one does. */
      judgeModel: string | undefined
      /** The model that embeds texts, where one does. */
      embeddingModel: string | undefined
      /** The operator's own price rows. */
      priceFile: string | undefined
      rates: EngineRates
    }
  | { kind: 'plugin'; name: string; rates: EngineRates }

/** What the provider’s key may send a minute; null: no limit. */
interface EngineRates {
  requests: number | null
  tokens: number | null
}

/** The whole configuration, or CONFIG_INVALID with every problem at once and no secret in it. */
export function readConfig(environment: Environment): Config {
  const env = whatIsSet(environment)
  const values = checkedSettings(env, { server: true })
  const dataDir = resolve(values.ALMANAC_DATA)
  return {
    profile: values.DATABASE_URL === undefined ? 'embedded' : 'standard',
    production: values.NODE_ENV === 'production',
    dataDir,
    deliveryDir: resolve(values.ALMANAC_DELIVERY_DIR ?? join(dataDir, 'deliveries')),
    database: databaseOf(values),
    redisUrl: values.REDIS_URL ?? null,
    sealKeys: values.ALMANAC_SEAL_KEYS ?? [],
    api: { host: values.ALMANAC_HOST, port: values.ALMANAC_PORT },
    client: clientOf(values),
    engine: engineOf(values),
    plugins: {
      modules: values.ALMANAC_PLUGINS ?? [],
      environment: Object.fromEntries(
        Object.entries(env).flatMap(([name, value]) =>
          name.startsWith('PLUGIN_') && value !== undefined ? [[name, value]] : [],
        ),
      ),
    },
    industryFiles: values.ALMANAC_INDUSTRIES ?? [],
    deliverers: values.ALMANAC_DELIVERERS,
    concurrency: values.ALMANAC_CONCURRENCY,
    logLevel: values.ALMANAC_LOG_LEVEL,
    shutdownGraceMs: values.ALMANAC_SHUTDOWN_GRACE_MS,
    secrets: secretsOf(env),
    notices: noticesOf(env),
  }
}

/** What a command needs that only talks to a running Almanac; what its server would need may be missing. */
export function readClientConfig(environment: Environment): ClientConfig {
  return clientOf(checkedSettings(whatIsSet(environment), { server: false }))
}

function databaseOf(values: Settings): Config['database'] {
  const url = values.DATABASE_URL
  if (url === undefined) return null
  return {
    url,
    owner: values.DATABASE_URL_OWNER ?? url,
    app: values.DATABASE_URL_APP ?? url,
    system: values.DATABASE_URL_SYSTEM ?? url,
  }
}

function engineOf(values: Settings): EngineConfig {
  const rates: EngineRates = {
    requests: values.LLM_REQUESTS_PER_MINUTE ?? null,
    tokens: values.LLM_TOKENS_PER_MINUTE ?? null,
  }
  const name = values.ALMANAC_ENGINE
  if (name !== 'openai' && name !== 'deterministic') return { kind: 'plugin', name, rates }
  // A server's settings have the model when they have the engine; those of a client need neither.
  if (name !== 'openai' || values.LLM_MODEL === undefined) return { kind: 'deterministic' }
  return {
    kind: 'openai',
    apiKey: values.OPENAI_API_KEY,
    baseUrl: values.OPENAI_BASE_URL,
    api: values.LLM_API,
    model: values.LLM_MODEL,
    judgeModel: values.LLM_JUDGE_MODEL,
    embeddingModel: values.LLM_EMBEDDING_MODEL,
    priceFile: values.LLM_PRICES,
    rates,
  }
}

/** Addresses that mean "every interface" to a server mean this machine to its client. */
const everyInterface = ['0.0.0.0', '::', '[::]']

function clientOf(values: Settings): ClientConfig {
  const host = everyInterface.includes(values.ALMANAC_HOST) ? '127.0.0.1' : values.ALMANAC_HOST
  const bracketed = host.includes(':') && !host.startsWith('[') ? `[${host}]` : host
  return {
    url: values.ALMANAC_URL ?? `http://${bracketed}:${values.ALMANAC_PORT}`,
    key: values.ALMANAC_KEY,
  }
}

function noticesOf(env: Environment): string[] {
  if (env['OPENAI_ASSISTANT_ID'] === undefined) return []
  return [
    'OPENAI_ASSISTANT_ID is set, but OpenAI shut the Assistants API down on 2026-08-26: Almanac ignores it. Instructions now live in the industries, versioned and hashed into every run package; remove the variable.',
  ]
}
