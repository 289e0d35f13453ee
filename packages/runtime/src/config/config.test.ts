import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { isAlmanacError, type Issue } from '@almanac/domain'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readClientConfig, readConfig } from './config.ts'
import { readEnvironment, type Environment } from './environment.ts'
import { settingFacts } from './setting.ts'
import { settings } from './settings.ts'

const key = (byte: number) => Buffer.alloc(32, byte).toString('base64')

const issuesFor = (env: Environment, read: (env: Environment) => unknown = readConfig): Issue[] => {
  try {
    read(env)
    return []
  } catch (error) {
    if (!isAlmanacError(error, 'CONFIG_INVALID')) throw error
    return error.params.issues
  }
}

describe('readConfig', () => {
  it('needs nothing: an embedded database, the deterministic engine, this machine only', () => {
    expect(readConfig({})).toEqual({
      profile: 'embedded',
      production: false,
      dataDir: resolve('.almanac'),
      deliveryDir: resolve('.almanac/deliveries'),
      database: null,
      redisUrl: null,
      sealKeys: [],
      api: { host: '127.0.0.1', port: 4242 },
      client: { url: 'http://127.0.0.1:4242', key: undefined },
      engine: { kind: 'deterministic' },
      plugins: { modules: [], environment: {} },
      industryFiles: [],
      deliverers: ['file'],
      concurrency: 8,
      logLevel: 'info',
      shutdownGraceMs: 10_000,
      secrets: [],
      notices: [],
    })
  })

  it('takes every setting', () => {
    const config = readConfig({
      NODE_ENV: 'production',
      ALMANAC_DATA: '/srv/almanac',
      ALMANAC_LOG_LEVEL: 'warn',
      ALMANAC_SHUTDOWN_GRACE_MS: '0',
      DATABASE_URL: 'postgres://a:one%20secret@db/almanac',
      DATABASE_URL_APP: 'postgresql://b:two-secrets-here@db/almanac',
      ALMANAC_SEAL_KEYS: `new:${key(1)}, old:${key(2)}`,
      REDIS_URL: 'rediss://:three@redis:6380',
      ALMANAC_HOST: '0.0.0.0',
      ALMANAC_PORT: '8080\n',
      ALMANAC_CONCURRENCY: '32',
      ALMANAC_DELIVERY_DIR: '/srv/out',
      ALMANAC_ENGINE: 'openai',
      OPENAI_API_KEY: 'sk-four',
      LLM_API: 'chat',
      LLM_MODEL: 'gpt-5-mini',
      LLM_JUDGE_MODEL: 'gpt-5-nano',
      LLM_EMBEDDING_MODEL: 'text-embedding-3-small',
      ALMANAC_KEY: 'alm_five',
    })
    expect(config).toMatchObject({
      profile: 'standard',
      production: true,
      dataDir: '/srv/almanac',
      deliveryDir: '/srv/out',
      redisUrl: 'rediss://:three@redis:6380',
      api: { host: '0.0.0.0', port: 8080 },
      client: { url: 'http://127.0.0.1:8080', key: 'alm_five' },
      engine: {
        kind: 'openai',
        apiKey: 'sk-four',
        baseUrl: 'https://api.openai.com/v1',
        api: 'chat',
        model: 'gpt-5-mini',
        judgeModel: 'gpt-5-nano',
        embeddingModel: 'text-embedding-3-small',
      },
      concurrency: 32,
      logLevel: 'warn',
      shutdownGraceMs: 0,
    })
    expect(config.sealKeys.map((seal) => [seal.id, seal.key.export().toString('base64')])).toEqual([
      ['new', key(1)],
      ['old', key(2)],
    ])
    expect(config.database).toEqual({
      url: 'postgres://a:one%20secret@db/almanac',
      owner: 'postgres://a:one%20secret@db/almanac',
      app: 'postgresql://b:two-secrets-here@db/almanac',
      system: 'postgres://a:one%20secret@db/almanac',
    })
    expect(JSON.stringify(config.sealKeys)).toBe('[{"id":"new","key":{}},{"id":"old","key":{}}]')
    expect(config.secrets).toEqual(
      expect.arrayContaining(['one%20secret', 'one secret', 'two-secrets-here', key(2), 'sk-four']),
    )
  })

  it('takes plugins, what they may see of the environment, their engine and deliverers', () => {
    const config = readConfig({
      ALMANAC_PLUGINS: './a.ts, almanac-plugin-b',
      ALMANAC_ENGINE: 'echo',
      ALMANAC_DELIVERERS: 'file,archive',
      ALMANAC_INDUSTRIES: 'glass.jsonc',
      LLM_REQUESTS_PER_MINUTE: '60',
      PLUGIN_ARCHIVE_DIR: '/srv/archive',
      PLUGIN_ECHO_KEY: 'echo-secret',
      DATABASE_URL: 'postgres://a:hidden@db/almanac',
    })
    expect(config).toMatchObject({
      plugins: { modules: ['./a.ts', 'almanac-plugin-b'] },
      engine: { kind: 'plugin', name: 'echo', rates: { requests: 60, tokens: null } },
      deliverers: ['file', 'archive'],
      industryFiles: ['glass.jsonc'],
    })
    expect(config.plugins.environment).toEqual({
      PLUGIN_ARCHIVE_DIR: '/srv/archive',
      PLUGIN_ECHO_KEY: 'echo-secret',
    })
    expect(config.secrets).toContain('echo-secret')
    expect(config.secrets).not.toContain('/srv/archive')
  })

  it('refuses an engine that nothing brings, and a list that names a thing twice', () => {
    const fields = (env: Environment) => issuesFor(env).map(({ field }) => field)
    expect(fields({ ALMANAC_ENGINE: 'opnai' })).toEqual(['ALMANAC_ENGINE'])
    expect(fields({ ALMANAC_ENGINE: 'Open AI', ALMANAC_PLUGINS: 'a' })).toEqual(['ALMANAC_ENGINE'])
    expect(fields({ ALMANAC_PLUGINS: 'a,a' })).toEqual(['ALMANAC_PLUGINS'])
    expect(fields({ ALMANAC_PLUGINS: 'a,,b' })).toEqual(['ALMANAC_PLUGINS'])
  })

  it('takes a judge of another model than the one that writes, and of no other engine', () => {
    const openai = { ALMANAC_ENGINE: 'openai', LLM_MODEL: 'm', OPENAI_API_KEY: 'sk-four' }
    expect(issuesFor({ ...openai, LLM_JUDGE_MODEL: 'n' })).toEqual([])
    expect(issuesFor({ ...openai, LLM_JUDGE_MODEL: 'm' })).toEqual([
      { field: 'LLM_JUDGE_MODEL', message: 'must be another model than LLM_MODEL', value: '"m"' },
    ])
    expect(issuesFor({ LLM_JUDGE_MODEL: 'n' })).toEqual([
      {
        field: 'LLM_JUDGE_MODEL',
        message: 'must not be set unless ALMANAC_ENGINE is openai',
        value: '"n"',
      },
    ])
  })

  it('takes an empty or blank value as not set', () => {
    expect(readConfig({ DATABASE_URL: '', ALMANAC_PORT: '  ' })).toEqual(readConfig({}))
  })

  it('reports every problem at once: field, found, allowed', () => {
    const issues = issuesFor({
      NODE_ENV: 'staging',
      ALMANAC_PORT: 'http',
      ALMANAC_CONCURRENCY: '0',
      ALMANAC_LOG_LEVEL: 'loud',
      DATABASE_URL_APP: 'mysql://a:hidden@db/almanac',
      ALMANAC_SEAL_KEYS: 'hidden',
      ALMANAC_ENGINE: 'openai',
      ALMANAC_PROT: 'hidden',
    })
    expect(issues.toSorted((a, b) => (a.field < b.field ? -1 : 1))).toEqual([
      {
        field: 'ALMANAC_CONCURRENCY',
        message: 'must be a whole number from 1 to 1000',
        value: '"0"',
      },
      {
        field: 'ALMANAC_LOG_LEVEL',
        message: 'must be trace, debug, info, warn, error, fatal or silent',
        value: '"loud"',
      },
      {
        field: 'ALMANAC_PORT',
        message: 'must be a whole number from 0 to 65535',
        value: '"http"',
      },
      {
        field: 'ALMANAC_PROT',
        message: 'is not a setting of Almanac; did you mean ALMANAC_PORT?',
      },
      {
        field: 'ALMANAC_SEAL_KEYS',
        message: expect.stringMatching(/^must be a list of id:key pairs/),
      },
      { field: 'DATABASE_URL', message: 'must be set beside DATABASE_URL_APP' },
      {
        field: 'DATABASE_URL_APP',
        message: 'must be a URL that begins with postgres:// or postgresql://',
      },
      { field: 'LLM_MODEL', message: 'must be set for the engine openai' },
      {
        field: 'NODE_ENV',
        message: 'must be development, test or production',
        value: '"staging"',
      },
      { field: 'OPENAI_API_KEY', message: 'must be set for the engine openai' },
    ])
  })

  it.each([
    ['ALMANAC_DATADIR', 'ALMANAC_DATA'],
    ['ALMANAC_CONCURENCY', 'ALMANAC_CONCURRENCY'],
    ['ALMANAC_LOGLEVEL', 'ALMANAC_LOG_LEVEL'],
  ])('knows what %s was meant to be', (misspelt, meant) => {
    expect(issuesFor({ [misspelt]: 'x' })).toEqual([
      { field: misspelt, message: `is not a setting of Almanac; did you mean ${meant}?` },
    ])
  })

  it('guesses nothing where nothing is near', () => {
    expect(issuesFor({ ALMANAC_FAVOURITE_COLOUR: 'x' })).toEqual([
      { field: 'ALMANAC_FAVOURITE_COLOUR', message: 'is not a setting of Almanac' },
    ])
  })

  it.each([
    ['nothing', { NODE_ENV: 'production' }, ['DATABASE_URL']],
    ['a database', { NODE_ENV: 'production', DATABASE_URL: 'postgres://db/almanac' }, []],
    ['leave to embed', { NODE_ENV: 'production', ALMANAC_ALLOW_EMBEDDED: 'true' }, []],
    [
      'a server without keys',
      { ALMANAC_ENGINE: 'openai', LLM_MODEL: 'm', OPENAI_BASE_URL: 'http://l/v1' },
      [],
    ],
    ['a provider without a key', { ALMANAC_ENGINE: 'openai', LLM_MODEL: 'm' }, ['OPENAI_API_KEY']],
    [
      'the same key id twice',
      { ALMANAC_SEAL_KEYS: `a:${key(1)},a:${key(2)}` },
      ['ALMANAC_SEAL_KEYS'],
    ],
    ['a short key', { ALMANAC_SEAL_KEYS: 'a:c2hvcnQ=' }, ['ALMANAC_SEAL_KEYS']],
    ['a control character', { ALMANAC_DATA: 'a\u0000b' }, ['ALMANAC_DATA']],
  ])('with %s, asks for what is missing or wrong', (_, env, fields) => {
    expect(issuesFor(env).map(({ field }) => field)).toEqual(fields)
  })

  it('says that the Assistants API is gone, and what replaces it', () => {
    const [notice, ...rest] = readConfig({ OPENAI_ASSISTANT_ID: 'asst_1' }).notices
    expect(rest).toEqual([])
    expect(notice).toContain('shut the Assistants API down on 2026-08-26')
    expect(notice).toContain('Instructions now live in the industries')
  })

  it('never shows a secret, however wrong the rest is', () => {
    const names = Object.entries(settings.shape)
      .filter(([, schema]) => settingFacts.get(schema)?.secret)
      .map(([name]) => name)
    expect(names.length).toBeGreaterThan(5)
    const secret = fc.string({ minLength: 6, unit: 'grapheme-ascii' }).map((s) => `qq${s}qq`)
    fc.assert(
      fc.property(fc.constantFrom(...names), secret, (name, value) => {
        const text = JSON.stringify(issuesFor({ [name]: value, ALMANAC_PORT: 'x', NODE_ENV: 'y' }))
        expect(text).not.toContain(JSON.stringify(value).slice(1, -1))
      }),
    )
    expect(JSON.stringify(issuesFor({ ALMANAC_URL: 'ftp://me:hunter22@host' }))).not.toContain(
      'hunter22',
    )
  })
})

describe('readClientConfig', () => {
  it('asks for nothing that only a server needs', () => {
    const env = {
      NODE_ENV: 'production',
      ALMANAC_ENGINE: 'openai',
      ALMANAC_URL: 'https://a.example',
    }
    expect(readClientConfig(env)).toEqual({ url: 'https://a.example', key: undefined })
    expect(issuesFor({ ALMANAC_UR: 'x' }, readClientConfig)).toHaveLength(1)
  })

  it('finds a server that listens on IPv6', () => {
    expect(readClientConfig({ ALMANAC_HOST: '::1' }).url).toBe('http://[::1]:4242')
  })
})

describe('readEnvironment', () => {
  it('reads a .env file under the real environment', () => {
    const folder = mkdtempSync(join(tmpdir(), 'almanac-runtime-'))
    try {
      expect(readEnvironment(folder)).toEqual(process.env)
      writeFileSync(join(folder, '.env'), '# a comment\nALMANAC_PORT=1\nPATH=/nowhere\n')
      expect(readEnvironment(folder)).toMatchObject({
        ALMANAC_PORT: '1',
        PATH: process.env['PATH'],
      })
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})
