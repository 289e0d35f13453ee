import { z } from 'zod'
import {
  listOf,
  nameOf,
  oneOf,
  optionalSetting,
  sealKeyList,
  setting,
  text,
  url,
  wholeNumber,
  yesOrNo,
} from './setting.ts'

const postgresUrl = url('postgres:', 'postgresql:')
const address = text('a host name or an address')
const folder = text('the path of a folder')

/** Every setting that Almanac reads from its environment; docs/configuration.md is made from it. */
export const settings = z.object({
  NODE_ENV: setting(oneOf(['development', 'test', 'production']), {
    group: 'General',
    default: 'development',
    description:
      'With production, Almanac refuses to start on an embedded database, or without a secret that it needs.',
    example: 'production',
  }),
  ALMANAC_DATA: setting(folder, {
    group: 'General',
    default: '.almanac',
    description:
      'The folder that holds the embedded database and, unless said otherwise, the deliveries; a relative path counts from the working directory.',
    example: '/srv/almanac',
  }),
  ALMANAC_LOG_LEVEL: setting(
    oneOf(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']),
    {
      group: 'General',
      default: 'info',
      description: 'The least level of the lines that are logged.',
      example: 'warn',
    },
  ),
  ALMANAC_SHUTDOWN_GRACE_MS: setting(wholeNumber(0, 600_000), {
    group: 'General',
    default: '10000',
    description:
      'How many milliseconds running work gets to finish after SIGTERM or SIGINT before it is given back.',
    example: '25000',
  }),

  DATABASE_URL: optionalSetting(postgresUrl, {
    group: 'Database',
    description:
      'The Postgres (15 or later) that holds everything; its login is a member of all of Almanac’s roles.',
    example: 'postgres://almanac:PASSWORD@db.internal:5432/almanac',
    secret: true,
    defaultsTo: 'an embedded Postgres in ALMANAC_DATA',
  }),
  DATABASE_URL_OWNER: optionalSetting(postgresUrl, {
    group: 'Database',
    description: 'A login of its own for migrations, which own the tables.',
    example: 'postgres://almanac_owner:PASSWORD@db.internal:5432/almanac',
    secret: true,
    defaultsTo: 'DATABASE_URL',
  }),
  DATABASE_URL_APP: optionalSetting(postgresUrl, {
    group: 'Database',
    description: 'A login of its own for what is done in a tenant’s name.',
    example: 'postgres://almanac_app:PASSWORD@db.internal:5432/almanac',
    secret: true,
    defaultsTo: 'DATABASE_URL',
  }),
  DATABASE_URL_SYSTEM: optionalSetting(postgresUrl, {
    group: 'Database',
    description: 'A login of its own for the leader loops and grouped commits.',
    example: 'postgres://almanac_system:PASSWORD@db.internal:5432/almanac',
    secret: true,
    defaultsTo: 'DATABASE_URL',
  }),
  ALMANAC_ALLOW_EMBEDDED: setting(yesOrNo, {
    group: 'Database',
    default: 'false',
    description: 'Lets a production start use the embedded Postgres.',
    example: 'true',
  }),
  ALMANAC_SEAL_KEYS: optionalSetting(sealKeyList, {
    group: 'Database',
    description:
      'Keys that seal stored content: the first one seals, all of them open; `openssl rand -base64 32` makes one.',
    example: '2026-11:BASE64_OF_32_BYTES',
    secret: true,
    defaultsTo: 'content is stored as it is',
  }),

  REDIS_URL: optionalSetting(url('redis:', 'rediss:'), {
    group: 'Queue',
    description: 'The Redis or Valkey that carries the jobs.',
    example: 'redis://:PASSWORD@redis.internal:6379',
    secret: true,
    defaultsTo: 'the jobs are carried by Postgres',
  }),

  ALMANAC_HOST: setting(address, {
    group: 'API',
    default: '127.0.0.1',
    description: 'The address that the API listens on; 0.0.0.0 lets other machines reach it.',
    example: '0.0.0.0',
  }),
  ALMANAC_PORT: setting(wholeNumber(0, 65_535), {
    group: 'API',
    default: '4242',
    description: 'The port that the API listens on; 0 takes any free one.',
    example: '8080',
  }),

  ALMANAC_CONCURRENCY: setting(wholeNumber(1, 1000), {
    group: 'Worker',
    default: '8',
    description:
      'How many jobs of a stage that waits for an engine (`execute`, and `evaluate` and `export` where a model judges or embeds) a worker process runs at once.',
    example: '32',
  }),
  ALMANAC_DELIVERY_DIR: optionalSetting(folder, {
    group: 'Worker',
    description: 'The folder into which the file deliverer writes finished documents.',
    example: '/srv/almanac/deliveries',
    defaultsTo: 'the folder deliveries in ALMANAC_DATA',
  }),
  ALMANAC_DELIVERERS: setting(listOf('names of deliverers'), {
    group: 'Worker',
    default: 'file',
    description:
      'What takes each finished document where it should go: file, and the deliverers of plugins; all of those named here.',
    example: 'file,archive',
  }),

  ALMANAC_ENGINE: setting(nameOf('deterministic, openai or the name of a plugin’s engine'), {
    group: 'Engine',
    default: 'deterministic',
    description:
      'What writes the documents: deterministic composes them offline from the evidence, openai asks a language model.',
    example: 'openai',
  }),
  OPENAI_API_KEY: optionalSetting(text('the key as the provider shows it'), {
    group: 'Engine',
    description:
      'The provider’s key; needed by the engine openai unless OPENAI_BASE_URL names a server without keys.',
    example: 'sk-…',
    secret: true,
  }),
  OPENAI_BASE_URL: setting(url('https:', 'http:'), {
    group: 'Engine',
    default: 'https://api.openai.com/v1',
    description: 'Where the provider answers; any compatible server will do.',
    example: 'http://127.0.0.1:8000/v1',
  }),
  LLM_API: setting(oneOf(['responses', 'chat']), {
    group: 'Engine',
    default: 'responses',
    description:
      'Which API of the provider is called: responses, or chat for compatible servers that have only chat completions.',
    example: 'chat',
  }),
  LLM_MODEL: optionalSetting(text('the model’s name'), {
    group: 'Engine',
    description: 'The model that the engine openai asks, and that the price table must know.',
    example: 'gpt-5-mini',
  }),
  LLM_JUDGE_MODEL: optionalSetting(text('the name of another model than LLM_MODEL'), {
    group: 'Engine',
    description:
      'The model of the engine openai that answers the checklists of plugins about finished documents, twice each; it must not be the one that writes them.',
    example: 'gpt-5-nano',
    defaultsTo: 'nothing is judged',
  }),
  LLM_EMBEDDING_MODEL: optionalSetting(text('the name of an embedding model'), {
    group: 'Engine',
    description:
      'The model of the provider of the engine openai that measures how alike a document and that of the period before are, by one small call a run; it must have a price.',
    example: 'text-embedding-3-small',
    defaultsTo: 'their words are compared, offline',
  }),
  LLM_PRICES: optionalSetting(text('the path of a file'), {
    group: 'Engine',
    description:
      'A JSON file with a list of prices of your own, each `{ model, tier, from, until, input, cachedInput, output }` in micro-USD per million tokens; a model that it names has only these prices.',
    example: './prices.json',
    defaultsTo: 'the list prices that Almanac knows',
  }),
  LLM_REQUESTS_PER_MINUTE: optionalSetting(wholeNumber(1, 100_000_000), {
    group: 'Engine',
    description:
      'What the provider’s key may send a minute, as the provider’s account page says; Almanac never passes it in any 60 seconds.',
    example: '5000',
    defaultsTo: 'no limit',
  }),
  LLM_TOKENS_PER_MINUTE: optionalSetting(wholeNumber(1, 100_000_000_000), {
    group: 'Engine',
    description:
      'How many tokens, of input and output, the provider’s key may use a minute; one call may need at most nine tenths of it.',
    example: '2000000',
    defaultsTo: 'no limit',
  }),

  ALMANAC_PLUGINS: optionalSetting(listOf('paths or package names'), {
    group: 'Plugins',
    description:
      'The modules of plugins, loaded at the start, each into a thread of its own; of the environment they see only names that begin with PLUGIN_.',
    example: './examples/plugin-csv-exporter/plugin.ts,almanac-plugin-s3',
    defaultsTo: 'no plugin',
  }),
  ALMANAC_INDUSTRIES: optionalSetting(listOf('paths of files'), {
    group: 'Plugins',
    description:
      'Files that describe further industries, as `almanac industry new` writes them; a tenant may order from one that its entitlement names.',
    example: './industries/glass.jsonc',
    defaultsTo: 'only the industries that Almanac brings',
  }),

  ALMANAC_URL: optionalSetting(url('http:', 'https:'), {
    group: 'Command line',
    description: 'The Almanac that `almanac` commands talk to.',
    example: 'https://almanac.example.com',
    defaultsTo: 'ALMANAC_HOST and ALMANAC_PORT of this machine',
  }),
  ALMANAC_KEY: optionalSetting(text('an API key, alm_…'), {
    group: 'Command line',
    description: 'The API key that `almanac` commands send.',
    example: 'alm_…',
    secret: true,
    defaultsTo: 'the first tenant’s key in ALMANAC_DATA',
  }),
})

export type Settings = z.output<typeof settings>
