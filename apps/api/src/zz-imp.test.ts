import { it } from 'vitest'
import { readFileSync } from 'node:fs'
import { testApi } from '/work/main/apps/api/src/testing/test-api.ts'
import { testTenant } from '/work/main/test/support/postgres.ts'
import { readEvidenceLine, fieldMapping } from '@almanac/domain'
import { importBatch, ensureSource } from '@almanac/db'
const { call, db, ports } = await testApi()
const t = await testTenant(db)
it('x', async () => {
  const body = readFileSync('/work/shared/data/us-federal-rules-2022.ndjson')
  for (const s of ['a','a','b','b']) {
    const t0 = performance.now()
    const r = await call('POST','/v1/evidence',{key:t.key,query:{source:s},headers:{'content-type':'application/x-ndjson'},body})
    console.log(s, Math.round(performance.now()-t0),'ms', JSON.stringify(r.json))
  }
  let t0=performance.now(); const m=fieldMapping.parse({})
  const items = body.toString().split('\n').filter(Boolean).map(l=>readEvidenceLine(l,m)); console.log('parse', Math.round(performance.now()-t0))
  const {id}=await db.withTenant(t.tenantId,trx=>ensureSource(trx,t.tenantId,'c'))
  for (const n of [500,1000,2000]) { const {id}=await db.withTenant(t.tenantId,trx=>ensureSource(trx,t.tenantId,'c'+n)); t0=performance.now(); for (let i=0;i<items.length;i+=n) await importBatch(db, ports.content, t.tenantId, id, items.slice(i,i+n)); console.log('batch',n, Math.round(performance.now()-t0)) }
}, 120000)
