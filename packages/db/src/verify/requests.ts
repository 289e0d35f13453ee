import type { TenantId } from '@almanac/domain'
import { sha256 } from '@almanac/domain/hash'
import { z } from 'zod'
import { openText } from '../content.ts'
import { readBlobs, type NamedBlob } from './content-pages.ts'
import type { Access, Check, Findings } from './check.ts'
import { parseJson } from './parse-json.ts'

/** P6: the request of every call, made again from its package and call, has the hash that was recorded. */
export const requests: Check = {
  promise: 'P6',
  name: 'every request can be made again, byte for byte',
  unit: 'engine calls',
  async run(access, findings) {
    const aside = new Map<string, number>()
    const batch: CallRow[] = []
    const check = () => checkCalls(access, batch.splice(0), aside, findings)
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

/** Texts of contents by hash; each is opened once. */
function opener(
  { codec }: Access,
  blobs: ReadonlyMap<string, NamedBlob>,
): (hash: string) => string {
  const texts = new Map<string, string>()
  return (hash) => {
    const known = texts.get(hash)
    if (known !== undefined) return known
    const blob = blobs.get(hash)
    if (!blob) throw new Error(`the content ${hash} does not exist`)
    const text = openText(codec, blob, hash)
    texts.set(hash, text)
    return text
  }
}

async function checkCalls(
  access: Access,
  calls: readonly CallRow[],
  aside: Map<string, number>,
  findings: Findings,
): Promise<void> {
  const [first] = calls
  if (!first) return
  const inputsOf = (call: CallRow) => namesInputs.safeParse(parseJson(call.call)).data?.inputHashes
  const wanted = calls.flatMap((call) => [call.package_hash, ...(inputsOf(call) ?? [])])
  const blobs = await readBlobs(access.db, first.tenant_id, [...new Set(wanted)])
  const open = opener(access, blobs)
  for (const call of calls) {
    const { tenant_id, run_id, call_key, seq } = call
    const outcome = checkCall(access, call, inputsOf(call), blobs, open)
    if ('aside' in outcome) aside.set(outcome.aside, (aside.get(outcome.aside) ?? 0) + 1)
    else findings.rows(1)
    if ('wrong' in outcome)
      findings.problem('engine_calls', { tenant_id, run_id, call_key, seq }, outcome.wrong)
  }
}

/** Whether the request can be made again: it can, or what is wrong, or why nobody can tell. */
function checkCall(
  { rebuild }: Access,
  call: CallRow,
  inputHashes: readonly string[] | undefined,
  blobs: ReadonlyMap<string, NamedBlob>,
  open: (hash: string) => string,
): { same: true } | { wrong: string } | { aside: string } {
  const { provider, model, package_hash: packageHash, request_hash: requestHash } = call
  if (!inputHashes) return { wrong: 'its call does not read as one' }
  const made = namesPackage.safeParse(parseJson(call.assembled ?? '')).data?.packageHash
  if (made !== packageHash)
    return { wrong: `its package is ${packageHash}, its run’s is ${made ?? 'not recorded'}` }
  if ([packageHash, ...inputHashes].some((hash) => blobs.get(hash)?.bytes === null))
    return { aside: 'what they were made from was erased' }
  try {
    const packageText = open(packageHash)
    const inputs = inputHashes.map(open)
    const body = rebuild({ provider, model, packageText, callText: call.call, inputs })
    if (body === undefined)
      return { aside: `the engine ${provider} with the model ${model} is not set up here` }
    const hash = sha256(body)
    if (hash === requestHash) return { same: true }
    return { wrong: `its request has the hash ${requestHash}, made again it has ${hash}` }
  } catch (error) {
    const reason = error instanceof Error ? error.message : 'why is unknown'
    return { wrong: `its request cannot be made again: ${reason}` }
  }
}
