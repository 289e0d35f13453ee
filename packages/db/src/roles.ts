import { AlmanacError } from '@almanac/domain'
import type { Client } from 'pg'
import { failureCode } from './database-failure.ts'

/** Who owns the tables, who acts for one tenant, who for all, and who only looks. */
const roles = ['almanac_owner', 'almanac_app', 'almanac_system', 'almanac_operator_read'] as const

/**
 * Makes the roles, the membership of this login in them, and the schemas that `almanac_owner` owns.
 * Roles belong to the whole cluster: what is there already is left alone, and what another process
 * makes at the same moment, in this or another database, counts as there.
 * Throws DATABASE_UNSUITABLE when the login may not.
 */
export async function prepareRoles(client: Client): Promise<void> {
  for (const role of roles) {
    await attempt(client, async () => {
      const { rows } = await client.query('select from pg_roles where rolname = $1', [role])
      if (rows.length === 0) await client.query(`create role ${role} nologin`)
    })
    await attempt(client, async () => {
      const { rows } = await client.query<{ can: boolean }>(canSetRole, [role])
      if (!rows[0]?.can) await client.query(`grant ${role} to current_user`)
    })
  }
  for (const schema of ['almanac', 'almanac_migration']) {
    await attempt(client, async () => {
      const { rows } = await client.query('select from pg_namespace where nspname = $1', [schema])
      if (rows.length === 0)
        await client.query(`create schema ${schema} authorization almanac_owner`)
    })
  }
}

// From Postgres 16 on a member may lack the right to act in the role; its creator does at first.
const canSetRole = `select case when current_setting('server_version_num')::int >= 160000
  then pg_has_role(current_user, $1, 'SET') else pg_has_role(current_user, $1, 'MEMBER') end as can`

/** Whoever came first has done it; look again, a few times. */
async function attempt(client: Client, work: () => Promise<void>, left = 20): Promise<void> {
  try {
    await work()
  } catch (error) {
    if (left > 0 && happenedElsewhere(error)) return attempt(client, work, left - 1)
    if (failureCode(error) === '42501')
      throw new AlmanacError(
        'DATABASE_UNSUITABLE',
        { reason: 'the login may neither create roles and schemas nor use those of Almanac' },
        { cause: error },
      )
    throw error
  }
}

const happenedElsewhere = (error: unknown): boolean =>
  ['42710', '42P06', '23505'].includes(failureCode(error) ?? '') ||
  (error instanceof Error && error.message.includes('tuple concurrently updated'))
