import { connectDatabase, plainCodec, verify } from '@almanac/db'
import { expect, inject, it } from 'vitest'
import { rebuildWith } from '../../apps/cli/src/commands/verify.ts'
import { asSuperuser, databaseUrl } from '../support/postgres-server.ts'
import { kinds } from '../support/sample.ts'
import { createPaidEngine, recordWorld, type RecordedWorld } from './recorded-world.ts'

it('tries', async () => {
  const server = inject('postgresUrl')
  const name = 'almanac_verify_x'
  await asSuperuser(server, (c) => c.query(`create database ${name} template ${inject('postgresTemplate')}`))
  const db = await connectDatabase({ url: databaseUrl(server, name) })
  let t = performance.now()
  const world = await recordWorld(db)
  console.log('world', performance.now() - t)
  for (let i=0;i<3;i++) {
  t = performance.now()
  let last = ''
  let lt = t
  const report = await verify(db, { codec: plainCodec, rebuild: rebuildWith([createPaidEngine()], kinds), log: ({name}) => { if (name !== last) { console.log(last, Math.round(performance.now()-lt)); last = name; lt = performance.now() } } })
  console.log(last, Math.round(performance.now()-lt));
  console.log(performance.now() - t, report.ok)
  }
  await db.close()
})
