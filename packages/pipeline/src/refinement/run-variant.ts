import { canonicalJson, isAlmanacError, type ErrorCode } from '@almanac/domain'
import { call as callSchema, type Call } from '@almanac/documents'
import { nextChildVersions } from '@almanac/refinement'
import { callEngine, type CallContext, type CallPorts } from '../calls/call-engine.ts'
import { readDocument, readPackage } from '../content.ts'
import type { Ports, RunStore } from '../ports.ts'
import { Park, type Elsewhere } from '../stage.ts'
import { storeChildVersion } from './child-version.ts'
import { judged, type JudgedDocument } from './judged.ts'
import { invalidChild, notWorse, readChild } from './read-child.ts'
import type { VariantKey, VariantOutcome, VariantWork } from './refinement-port.ts'

export type VariantPorts = CallPorts & Pick<Ports, 'kinds' | 'ids' | 'refinement'> & RunStore

/** What becomes of a variant's job: closed (the last of its generation or not), again later, or nothing. */
export type VariantJobEnd =
  | { kind: 'closed'; remaining: number; state: VariantOutcome['state'] }
  | { kind: 'again'; delayMs: number }
  | { kind: 'dropped'; why: 'closed' | 'aborted' }

/** How long a variant's calls may take in all. */
export const variantTimeoutMs = 300_000
/** How long a job waits for another worker that has its variant. */
const busyMs = 1_000
/** A wait for a rate or a provider is looked at again after so long at most. */
const longestWaitMs = 15_000
const shortestWaitMs = 100

/**
 * The life of a variant's job:
 *
 *   1. It is claimed; one that is closed, or whose run waits for it no longer, is dropped.
 *   2. The call that was booked with its generation is made: rate, hold, engine, settle.
 *   3. The answer is read, repaired where it is invalid, validated and scored, and its content stored.
 *   4. It is closed, once, with its version or its error; the last one queues the run.
 *
 * A wait (rate, stopped provider) costs nothing and is tried again. Whatever else goes wrong ends this
 * variant and no other.
 */
export async function runVariant(
  key: VariantKey,
  ports: VariantPorts,
  signal: AbortSignal,
  timeoutMs = variantTimeoutMs,
): Promise<VariantJobEnd> {
  const { refinement, identity, clock } = ports
  const begun = await refinement.begin(key, identity.workerId)
  if (begun === 'busy') return { kind: 'again', delayMs: busyMs }
  if (begun === 'closed') return { kind: 'dropped', why: 'closed' }
  const outcome = await tryVariant(key, ports, signal, timeoutMs)
  if (outcome === 'aborted') return { kind: 'dropped', why: 'aborted' }
  if (outcome === 'gone') return { kind: 'dropped', why: 'closed' }
  if ('wait' in outcome) {
    if (!(outcome.wait instanceof Park)) return { kind: 'again', delayMs: busyMs }
    const left = outcome.wait.wakeAt.getTime() - clock.now().getTime()
    return { kind: 'again', delayMs: Math.min(longestWaitMs, Math.max(shortestWaitMs, left)) }
  }
  const { remaining } = await refinement.finish(key, outcome)
  return { kind: 'closed', remaining, state: outcome.state }
}

type Tried = VariantOutcome | { wait: Park | Elsewhere } | 'aborted' | 'gone'

async function tryVariant(
  key: VariantKey,
  ports: VariantPorts,
  signal: AbortSignal,
  timeoutMs: number,
): Promise<Tried> {
  const either = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)])
  try {
    const work = await ports.refinement.work(key)
    const run = work && (await ports.load(key.tenantId, key.runId))
    if (!run) return 'gone'
    const runPackage = await readPackage(ports.content, key.tenantId, work.packageHash)
    const context: CallContext = {
      run: run.facts,
      epoch: work.epoch,
      package: runPackage,
      packageHash: work.packageHash,
      kind: ports.kinds.get(runPackage.output.kind),
      stage: 'refine',
    }
    return await makeVariant(key, context, work, ports, either)
  } catch (cause) {
    if (signal.aborted) return 'aborted'
    const errorCode: ErrorCode = isAlmanacError(cause) ? cause.code : 'STAGE_FAILED'
    const isTold = isAlmanacError(cause, 'EXPANSION_REJECTED')
    return { state: 'failed', errorCode, ...(isTold && { because: cause.message }) }
  }
}

async function makeVariant(
  key: VariantKey,
  context: CallContext,
  work: VariantWork,
  ports: VariantPorts,
  signal: AbortSignal,
): Promise<Tried> {
  const { run, package: runPackage, packageHash, kind } = context
  const call = callSchema.parse(JSON.parse(work.call))
  const parent = judged(
    kind,
    runPackage,
    await readDocument(ports.content, run.tenantId, work.parent.contentHash, kind),
  )
  const answer = await askForDocument(
    context,
    { key, call, parent },
    { ...ports, ledger: ports.refinement.ledger },
    signal,
  )
  if ('wait' in answer) return answer
  const known = await ports.refinement.versions(key)
  // Those of this generation are counted, not read: its variants may close in any order.
  const earlier = known.filter(({ depth }) => depth < key.generation).map(({ label }) => label)
  const before = nextChildVersions(work.parent.label, earlier, key.ordinal - 1)
  const version = await storeChildVersion(
    { kind, run, packageHash },
    ports.content,
    { version: work.parent, judged: parent },
    { id: ports.ids.next('version'), judged: answer.made, taken: [...earlier, ...before] },
  )
  return { state: 'done', version }
}

interface Asked {
  key: VariantKey
  call: Call
  parent: JudgedDocument
}

/** The variant's document: its call, then up to `limits.repairs` repairs of an answer that is invalid. */
async function askForDocument(
  context: CallContext,
  { key, call, parent }: Asked,
  ports: CallPorts,
  signal: AbortSignal,
): Promise<{ made: JudgedDocument } | { wait: Park | Elsewhere }> {
  const { run, package: runPackage } = context
  let asked = call
  for (let n = 1; ; n += 1) {
    const answer = await callEngine(context, asked, ports, signal)
    if ('wait' in answer) return answer
    const { made, findings } = readChild(context, { call, parent }, answer.output)
    if (made) return { made: notWorse(call, parent, made) }
    if (n > runPackage.limits.repairs) throw invalidChild(call, findings)
    const told = await ports.content.put(run.tenantId, [
      canonicalJson(answer.output ?? null),
      canonicalJson(findings),
    ])
    asked = repairOf(call, { n, part: `${key.generation}-${key.ordinal}`, told })
  }
}

/** The call that corrects an answer, which it is told with its findings. */
function repairOf(
  { kind, brief, inputHashes }: Call,
  { n, part, told }: { n: number; part: string; told: string[] },
): Call {
  if (kind === 'expand')
    return {
      ...{ kind: 'repair', corrects: 'expand', n, part, brief },
      inputHashes: [...inputHashes, ...told],
    }
  const correct =
    'Correct the draft so that none of the findings remains. Answer the whole document.'
  return { kind: 'repair', n, part, brief: correct, inputHashes: told }
}
