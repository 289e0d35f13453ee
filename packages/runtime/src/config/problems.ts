import { AlmanacError, issuesOf, type Issue } from '@almanac/domain'
import { redactedText } from '../redaction.ts'
import type { Environment } from './environment.ts'
import { nearest } from './nearest.ts'
import { settingFacts } from './setting.ts'
import { settings, type Settings } from './settings.ts'

/**
 * The parsed settings, or CONFIG_INVALID with every problem at once and no secret in it. Only a
 * server is asked for what its engine and database need.
 */
export function checkedSettings(env: Environment, { server }: { server: boolean }): Settings {
  const { values, issues } = parseSettings(env)
  const problems = [...issues, ...unknownNames(env), ...(server ? missingFor(env) : [])]
  if (values === undefined || problems.length > 0) {
    throw new AlmanacError('CONFIG_INVALID', { issues: problems })
  }
  return values
}

/** Every text that may appear nowhere: the secret settings, and the passwords and keys inside them. */
export function secretsOf(env: Environment): string[] {
  const texts = Object.entries(env).flatMap(([name, value]) =>
    value !== undefined && isSecret(name) ? [value] : [],
  )
  const passwords = texts.flatMap((text) => {
    const password = URL.canParse(text) ? new URL(text).password : ''
    return password ? [password, unescaped(password)] : []
  })
  const sealKeys = (env['ALMANAC_SEAL_KEYS'] ?? '')
    .split(',')
    .flatMap((pair) => pair.split(':')[1] ?? [])
  return [...new Set([...texts, ...passwords, ...sealKeys, ...pluginSecrets(env)])]
}

/** Of what plugins are told, the values whose names say that they are secret. */
const pluginSecrets = (env: Environment): string[] =>
  Object.entries(env).flatMap(([name, value]) =>
    value !== undefined && /^PLUGIN_.*(KEY|TOKEN|SECRET|PASSWORD)/.test(name) ? [value] : [],
  )

function unescaped(password: string): string {
  try {
    return decodeURIComponent(password)
  } catch {
    return password
  }
}

const isSetting = (name: string): name is keyof Settings => Object.hasOwn(settings.shape, name)

const isSecret = (name: string): boolean =>
  isSetting(name) && settingFacts.get(settings.shape[name])?.secret === true

function parseSettings(env: Environment): { values?: Settings; issues: Issue[] } {
  const result = settings.safeParse(env)
  if (result.success) return { values: result.data, issues: [] }
  const issues = issuesOf(result.error, env).map(({ field, message, value }) =>
    value === undefined || isSecret(field)
      ? { field, message }
      : { field, message, value: redactedText(value) },
  )
  return { issues }
}

function unknownNames(env: Environment): Issue[] {
  const known = Object.keys(settings.shape).filter((name) => name.startsWith('ALMANAC_'))
  return Object.keys(env)
    .filter((name) => name.startsWith('ALMANAC_') && !known.includes(name))
    .map((name) => {
      const guess = nearest(name, known)
      const hint = guess === undefined ? '' : `; did you mean ${guess}?`
      return { field: name, message: `is not a setting of Almanac${hint}` }
    })
}

/** Settings that other settings make necessary; looks at texts, so that it works beside other problems. */
function missingFor(env: Environment): Issue[] {
  const needed = (field: string, when: boolean, message: string): Issue[] =>
    when && env[field] === undefined ? [{ field, message }] : []
  const production = env['NODE_ENV'] === 'production'
  const openai = env['ALMANAC_ENGINE'] === 'openai'
  const roles = ['DATABASE_URL_OWNER', 'DATABASE_URL_APP', 'DATABASE_URL_SYSTEM']
  const role = roles.find((name) => env[name] !== undefined)
  return [
    ...needed(
      'DATABASE_URL',
      production && env['ALMANAC_ALLOW_EMBEDDED'] !== 'true',
      'must be set in production, or ALMANAC_ALLOW_EMBEDDED must be true',
    ),
    ...needed('DATABASE_URL', role !== undefined, `must be set beside ${role}`),
    ...needed(
      'OPENAI_API_KEY',
      openai && env['OPENAI_BASE_URL'] === undefined,
      'must be set for the engine openai',
    ),
    ...needed('LLM_MODEL', openai, 'must be set for the engine openai'),
    ...judgeModel(env),
    ...embeddingModel(env),
    ...pluginEngine(env),
  ]
}

/** Only a model judges, and none its own work. */
function judgeModel(env: Environment): Issue[] {
  const field = 'LLM_JUDGE_MODEL'
  const model = env[field]
  if (model === undefined) return []
  const value = JSON.stringify(model)
  if (env['ALMANAC_ENGINE'] !== 'openai')
    return [{ field, message: 'must not be set unless ALMANAC_ENGINE is openai', value }]
  if (model !== env['LLM_MODEL']) return []
  return [{ field, message: 'must be another model than LLM_MODEL', value }]
}

/** The offline engine and those of plugins embed nothing. */
function embeddingModel(env: Environment): Issue[] {
  const field = 'LLM_EMBEDDING_MODEL'
  if (env[field] === undefined || env['ALMANAC_ENGINE'] === 'openai') return []
  const message = 'must not be set unless ALMANAC_ENGINE is openai'
  return [{ field, message, value: JSON.stringify(env[field]) }]
}

/** Which engines plugins bring is known once they are loaded; without plugins it is known now. */
function pluginEngine(env: Environment): Issue[] {
  const name = env['ALMANAC_ENGINE']
  if (name === undefined || name === 'deterministic' || name === 'openai') return []
  if (env['ALMANAC_PLUGINS'] !== undefined) return []
  const message = 'must be deterministic or openai: ALMANAC_PLUGINS names no plugin with another'
  return [{ field: 'ALMANAC_ENGINE', message, value: JSON.stringify(name) }]
}
