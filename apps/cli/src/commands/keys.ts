import {
  createOperatorKey,
  findKeyTenant,
  listKeys,
  listOperatorKeys,
  revokeKey,
  revokeOperatorKey,
  type Trx,
} from '@almanac/db'
import {
  AlmanacError,
  keyId,
  operatorScope,
  operatorScopes,
  parse,
  plainLine,
} from '@almanac/domain'
import { createLogger, type Config } from '@almanac/runtime'
import { z } from 'zod'
import { table, type Screen } from '../screen.ts'
import { withDatabase } from '../system/database.ts'
import { createKeyFor, findTenant } from './operators.ts'

/** Whoever has the database's login acts; the audit names them so. */
const actor = 'operator'

const inSystem = <T>(config: Config, work: (trx: Trx) => Promise<T>): Promise<T> =>
  withDatabase(config, createLogger(config, 'stderr'), ({ db }) => db.withSystem('operators', work))

export interface NewKey {
  name: string
  operator?: boolean
  person?: string
  scope?: string[]
}

/**
 * `almanac key create TENANT`, or `--operator`: a key of a tenant, or of an operator, who belongs to none
 * and is made where there is none of that name. Throws INPUT_INVALID, NOT_FOUND.
 */
export async function createKeyNamed(
  screen: Screen,
  config: Config,
  tenant: string | undefined,
  { operator: isOperators, ...options }: NewKey,
): Promise<void> {
  if ((tenant === undefined) !== (isOperators ?? false))
    throw new AlmanacError('INPUT_INVALID', {
      issues: [{ field: 'key create', message: 'takes either a TENANT or --operator' }],
    })
  if (tenant !== undefined) return createKeyFor(screen, config, tenant, options)
  const { name, person = 'operator', scope = operatorScopes } = options
  const operatorName = parse(plainLine(120), person, 'person')
  const scopes = parse(z.array(operatorScope).min(1), [...new Set(scope)], 'scope')
  const key = await inSystem(config, (trx) =>
    createOperatorKey(trx, actor, { operatorName, name, scopes }),
  )
  screen.say(`${key.id} of ${key.operatorId} "${operatorName}" may: ${key.scopes.join(', ')}`)
  screen.say(`Shown this once: ${key.secret}`)
  screen.result(key)
}

/** `almanac key list [TENANT]`: a tenant's newest keys, or those of operators. */
export async function listAllKeys(
  screen: Screen,
  config: Config,
  text: string | undefined,
): Promise<void> {
  const keys = await inSystem(config, async (trx) => {
    if (text === undefined) return listOperatorKeys(trx)
    return (await listKeys(trx, (await findTenant(trx, text)).id, { limit: 100 })).data
  })
  const rows = keys.map((key) => [
    key.id,
    'operatorName' in key ? key.operatorName : key.principalId,
    key.name,
    key.scopes.join(' '),
    key.lastUsedAt ?? 'never',
    key.revokedAt === null ? '' : 'revoked',
  ])
  screen.say(table([['KEY', 'WHOSE', 'NAME', 'SCOPES', 'LAST USED', ''], ...rows]))
  screen.result({ keys })
}

/** `almanac key revoke KEY`: it ends within five seconds everywhere. Throws NOT_FOUND. */
export async function revokeKeyNamed(screen: Screen, config: Config, text: string): Promise<void> {
  const id = parse(keyId, text, 'KEY')
  const key = await inSystem(config, async (trx) => {
    const tenantId = await findKeyTenant(trx, id)
    return tenantId === undefined
      ? revokeOperatorKey(trx, actor, id)
      : revokeKey(trx, tenantId, actor, id)
  })
  screen.say(`${key.id} "${key.name}" is revoked; within five seconds it opens nothing any more.`)
  screen.result(key)
}
