import { AlmanacError } from '@almanac/domain'
import type { ModuleRegistry } from '@almanac/pipeline'
import { sql, type Selectable } from 'kysely'
import { definitionOf } from './nouns/modules.ts'
import type { Database } from './pool.ts'
import type { Modules } from './schema.ts'

/** The registered modules of tenants, as packages take them in. */
export function createModuleRegistry(db: Database): ModuleRegistry {
  return {
    async named(tenantId, keys) {
      if (keys.length === 0) return []
      const rows = await db.withTenant(tenantId, async (trx) => {
        const found = await sql<Selectable<Modules>>`select * from modules
          where tenant_id = ${tenantId} and key = any (${keys}::text[])`.execute(trx)
        return found.rows
      })
      return keys.map((key) => {
        const row = rows.find((one) => one.key === key)
        if (!row) throw new AlmanacError('NOT_FOUND', { what: `registered module ${key}` })
        return definitionOf(row)
      })
    },
  }
}
