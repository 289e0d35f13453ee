import type { TenantId } from '@almanac/domain'
import { sha256 } from '@almanac/domain/hash'
import { z } from 'zod'
import { openText } from '../content.ts'
import { readBlobs } from './content-pages.ts'
import type { Access, Check, Findings } from './check.ts'
import { parseJson } from './parse-json.ts'

/** P6: the request of every call, made anew from its package and call, has the hash that was recorded. */
export const requests: Check = {
  promise: 'P6',
  name: 'every request can be made again, byte for byte',
  unit: 'engine calls',
  async run(access, findings) {
    const aside = new Map<string, number>()
    let batch: CallRow[] = []
    const check = async () => {
      const calls = batch
      batch = []
      if (calls.length > 0) await checkCalls(access, calls, aside, findings)
    }
    for await (const call of access.snapshot.each<CallRow>(
      `select c.tenant_id, c.run_id, c.call_key, c.seq, c.provider, c.model, c.call, c.request_hash,
          c.package_hash, o.output as assembled
        from engine_calls c left join stage_outputs o on o.tenant_id = c.tenant_id
          and o.run_id = c.run_id and o.stage = 'assemble'
        order by c.tenant_id, c.run_id, c.call_key, c.seq`,
    )) {
      const full = batch.length === atOnce || batch.some((one) => one.tenant_id !== call.tenant_id)
      if (full) await check()
      batch.push(call)
    }
    await check()
    for (const [why, count] of aside) findings.note(`${count} not checked: ${why}`)
  },
}

/** Calls of one tenant whose contents are in memory at a time. */
const atOnce = 32

interface CallRow {
  tenant_id: TenantId
  run_id: string
  call_key: string
  seq: number
  provider: string
  model: string
  call: string
  request_hash: string
  package_hash: string
  /** The output of the stage that made the package. */
  assembled: string | null
}

/** The part of a call by which its contents are found. */
const namesInputs = z.object({ inputHashes: z.array(z.string()) })
/** The part of a stage's output that names the run's package. */
const namesPackage = z.object({ packageHash: z.string() })

async function checkCalls(
  access: Access,
  calls: readonly CallRow[],
  aside: Map<string, number>,
  findings: Findings,
): Promise<void> {
  const { db, codec, rebuild } = access
  const read = calls.map((call) => ({
    call,
    inputHashes: namesInputs.safeParse(parseJson(call.call)).data?.inputHashes,
  }))
  const wanted = read.flatMap(({ call, inputHashes = [] }) => [call.package_hash, ...inputHashes])
  const tenantId = calls[0]?.tenant_id
  if (!tenantId) return
  const blobs = await readBlobs(db, tenantId, [...new Set(wanted)])

  for (const { call, inputHashes } of read) {
    const { tenant_id, run_id, call_key, seq } = call
    const wrong = (what: string) => {
      findings.rows(1)
      findings.problem('engine_calls', { tenant_id, run_id, call_key, seq }, what)
    }
    if (!inputHashes) {
      wrong('its call does not read as one')
      continue
    }
    const made = namesPackage.safeParse(parseJson(call.assembled ?? '')).data?.packageHash
    if (made !== call.package_hash) {
      wrong(`its package is ${call.package_hash}, its run’s is ${made ?? 'not recorded'}`)
      continue
    }
    const hashes = [call.package_hash, ...inputHashes]
    const lost = hashes.find((hash) => !blobs.has(hash))
    if (lost !== undefined) {
      wrong(`it was made from the content ${lost}, which does not exist`)
      continue
    }
    if (hashes.some((hash) => blobs.get(hash)?.bytes === null)) {
      put(aside, 'what they were made from was erased')
      continue
    }
    try {
      const [packageText = '', ...inputs] = hashes.map((hash) =>
        openText(codec, blobs.get(hash) ?? { key_id: null, bytes: null }, hash),
      )
      const { provider, model } = call
      const body = rebuild({ provider, model, packageText, callText: call.call, inputs })
      if (body === undefined) {
        put(aside, `the engine ${provider} with the model ${model} is not set up here`)
        continue
      }
      const hash = sha256(body)
      if (hash === call.request_hash) findings.rows(1)
      else wrong(`its request has the hash ${call.request_hash}, made again it has ${hash}`)
    } catch (error) {
      wrong(
        `its request cannot be made again: ${error instanceof Error ? error.message : 'why is unknown'}`,
      )
    }
  }
}

const put = (counts: Map<string, number>, why: string) =>
  counts.set(why, (counts.get(why) ?? 0) + 1)
