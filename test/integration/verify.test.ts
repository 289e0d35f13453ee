import { connectDatabase, plainCodec, verify } from '@almanac/db'
import { createDeterministicEngine } from '@almanac/llm'
import { beforeAll, describe, expect, inject, it } from 'vitest'
import { rebuildWith } from '../../apps/cli/src/commands/verify.ts'
import { asSuperuser, databaseUrl } from '../support/postgres-server.ts'
import { kinds } from '../support/sample.ts'
import { createPaidEngine, recordWorld, type RecordedWorld } from './recorded-world.ts'

it('tries', async () => {
  const server = inject('postgresUrl')
  const name = 'almanac_verify_x'
  await asSuperuser(server, (c) => c.query(`create database ${name} template ${inject('postgresTemplate')}`))
  const db = await connectDatabase({ url: databaseUrl(server, name) })
  const world = await recordWorld(db)
  const t = performance.now()
  const report = await verify(db, { codec: plainCodec, rebuild: rebuildWith([createPaidEngine()], kinds) })
  console.log(performance.now() - t)
  console.log(JSON.stringify(report, null, 1))
  await db.close()
})
