import { callKey, type AnyDocumentKind, type Call } from '@almanac/documents'
import {
  AlmanacError,
  canonicalJson,
  isStorable,
  type RunId,
  type RunPackage,
} from '@almanac/domain'
import { sha256 } from '@almanac/domain/hash'
import type { CallRef, EngineRequest, HoldRequest, Outcome, Ports, RunFacts } from '../ports.ts'
import { Elsewhere, Park } from '../stage.ts'

export type CallPorts = Pick<
  Ports,
  'content' | 'engine' | 'ledger' | 'rates' | 'clock' | 'identity'
>

/** How long a run waits before it looks again for the answer that another run is about to get. */
const inFlightMs = 1_000

/** What a call needs to know of its run. */
export interface CallContext {
  run: RunFacts
  epoch: number
  package: RunPackage
  packageHash: string
  kind: AnyDocumentKind
}

/** A call that another run's answer served. */
export interface Reused {
  callKey: string
  fromRunId: RunId
}

export type Answer =
  | { output: unknown; costMicroUsd: number; reused: Reused | null }
  | { output?: undefined; wait: Park | Elsewhere }

/**
 * One engine call, from request to settled answer, in this order: rate, hold, send, settle.
 *
 *   1. The request is a pure function of package, call and the contents that the call names.
 *   2. A refused rate or a stopped provider parks the run; nothing was spent.
 *   3. The hold is the claim: a call that was settled before gives its stored answer again, one that
 *      another live worker has open is left to it.
 *   4. Whatever comes back is settled, released, or kept as unknown before anything else happens.
 *
 * Throws ENGINE_*, BUDGET_EXHAUSTED.
 */
export async function callEngine(
  context: CallContext,
  call: Call,
  ports: CallPorts,
  signal: AbortSignal,
): Promise<Answer> {
  const { run, package: runPackage } = context
  const { engine, ledger, rates, clock, content } = ports
  const request = await buildRequest(context, call, ports)
  const body = engine.body(request)
  const estimate = engine.estimate(request, clock.now())

  const room = await rates.take({
    provider: engine.provider,
    tenantId: run.tenantId,
    tokens: estimate.tokens,
  })
  if (!room.granted) return { wait: parkFor(room.retryAfterMs, clock) }

  const key = callKey(call)
  const hold = await ledger.hold({
    run,
    epoch: context.epoch,
    stage: 'execute',
    workerId: ports.identity.workerId,
    callKey: key,
    call: canonicalJson(call),
    provider: engine.provider,
    model: engine.model,
    requestHash: sha256(body),
    packageHash: context.packageHash,
    estimate,
    reuse: !run.fresh,
    runLimit: runLimit(run, runPackage),
  })
  if (hold.state === 'busy') return { wait: new Elsewhere() }
  if (hold.state === 'refused') throw new AlmanacError('BUDGET_EXHAUSTED', hold)
  if (hold.state === 'in_flight') return { wait: parkFor(inFlightMs, clock) }
  if (hold.state === 'settled' || hold.state === 'reused') {
    const text = await content.get(run.tenantId, hold.outputHash)
    const reused = hold.state === 'reused' ? { callKey: key, fromRunId: hold.fromRunId } : null
    return { output: JSON.parse(text), costMicroUsd: 0, reused }
  }

  const ref: CallRef = { run, callKey: key, seq: hold.seq }
  const outcome = await send(request, body, ports, signal)
  return settle(ref, outcome, request, ports)
}

/** What a run may spend: its specification's budget, and a test run a small one of its own at most. */
function runLimit({ test }: RunFacts, { limits }: RunPackage): HoldRequest['runLimit'] {
  const { runMicroUsd, runTokens } = limits
  if (!test) return { microUsd: runMicroUsd, tokens: runTokens }
  return {
    microUsd: Math.min(runMicroUsd, testLimit.microUsd),
    tokens: Math.min(runTokens, testLimit.tokens),
  }
}

const testLimit = { microUsd: 100_000, tokens: 80_000 }

/** The request of a call, with the contents that the call names. */
export async function buildRequest(
  { run, package: runPackage, kind }: Pick<CallContext, 'run' | 'package' | 'kind'>,
  call: Call,
  { content }: Pick<Ports, 'content'>,
): Promise<EngineRequest> {
  const texts = call.inputHashes.map((hash) => content.get(run.tenantId, hash))
  return requestOf(kind, runPackage, call, await Promise.all(texts))
}

/** The request as a pure function of package, call and inputs; `verify` makes it again from rows. */
export function requestOf(
  kind: AnyDocumentKind,
  runPackage: RunPackage,
  call: Call,
  inputs: readonly string[],
): EngineRequest {
  return {
    package: runPackage,
    call,
    prompt: kind.prompt(runPackage, call, inputs),
    jsonSchema: runPackage.output.jsonSchema,
    maxOutputTokens: runPackage.limits.maxOutputTokens,
  }
}

/** An engine that throws has lost its answer: it may have been billed. */
async function send(
  request: EngineRequest,
  body: string,
  { engine }: CallPorts,
  signal: AbortSignal,
): Promise<Outcome> {
  try {
    return await engine.generate(request, body, signal)
  } catch {
    return { kind: 'unknown', reason: signal.aborted ? 'timeout' : 'reset' }
  }
}

async function settle(
  ref: CallRef,
  outcome: Outcome,
  request: EngineRequest,
  { engine, ledger, clock, content }: CallPorts,
): Promise<Answer> {
  const name = engine.name
  switch (outcome.kind) {
    case 'completed': {
      const text = JSON.stringify(outcome.output) ?? 'null'
      const storable = isStorable(text)
      const [outputHash = null] = storable ? await content.put(ref.run.tenantId, [text]) : []
      const costMicroUsd = engine.price(outcome.usage, outcome.served, clock.now())
      await ledger.settle(ref, { ...billed(outcome), costMicroUsd, outputHash })
      return { output: storable ? outcome.output : undefined, costMicroUsd, reused: null }
    }
    case 'truncated':
    case 'refused':
    case 'filtered': {
      const served = { model: engine.model, tier: 'standard' }
      const costMicroUsd = engine.price(outcome.usage, served, clock.now())
      await ledger.settle(ref, {
        ...billed({ ...outcome, served }),
        costMicroUsd,
        outputHash: null,
      })
      if (outcome.kind === 'truncated')
        throw new AlmanacError('ENGINE_TRUNCATED', { limit: request.maxOutputTokens })
      const code = outcome.kind === 'refused' ? 'ENGINE_REFUSED' : 'ENGINE_FILTERED'
      throw new AlmanacError(code, { engine: name })
    }
    case 'not_billed':
      await ledger.release(ref, outcome.reason)
      if (outcome.retryAfterMs === undefined)
        throw new AlmanacError('ENGINE_OVERLOADED', { engine: name })
      return { wait: parkFor(outcome.retryAfterMs, clock) }
    case 'unknown':
      await ledger.unknown(ref, outcome.reason)
      throw new AlmanacError('ENGINE_OUTCOME_UNKNOWN', { engine: name, reason: outcome.reason })
    case 'billing_stop':
      await ledger.release(ref, outcome.code)
      return { wait: new Park('provider_stopped', new Date(clock.now().getTime() + 300_000)) }
    case 'misconfigured':
      await ledger.release(ref, outcome.code)
      throw new AlmanacError('ENGINE_MISCONFIGURED', {
        engine: name,
        status: outcome.status,
        reason: outcome.code,
      })
  }
}

const billed = <O extends Extract<Outcome, { usage: unknown }>>({
  kind,
  usage,
  requestId,
  served,
}: O & { served: { model: string; tier: string } }) => ({ outcome: kind, usage, requestId, served })

const parkFor = (ms: number, clock: Ports['clock']): Park =>
  new Park('backoff', new Date(clock.now().getTime() + ms))
