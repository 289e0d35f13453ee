import {
  callKey,
  judgeOutputTokens,
  judgeRequest,
  type AnyDocumentKind,
  type Call,
} from '@almanac/documents'
import {
  AlmanacError,
  canonicalJson,
  isStorable,
  type RunId,
  type RunPackage,
} from '@almanac/domain'
import { hashed, sha256 } from '@almanac/domain/hash'
import type {
  CallRef,
  EngineRequest,
  HoldRequest,
  Outcome,
  Ports,
  Refusal,
  RunFacts,
} from '../ports.ts'
import { Elsewhere, Park } from '../stage.ts'

export type CallPorts = Pick<
  Ports,
  'content' | 'engine' | 'ledger' | 'rates' | 'spending' | 'clock' | 'identity'
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
  /** The stage that asks; `execute` unless told. Only its answers serve other runs, and are served by them. */
  stage?: 'execute' | 'refine' | 'evaluate' | 'export'
}

/** A call that another run's answer served. */
export interface Reused {
  callKey: string
  fromRunId: RunId
}

export type Answer =
  | {
      output: unknown
      /** The stored answer, for the calls that build on it; null for one that cannot be stored. */
      outputHash: string | null
      costMicroUsd: number
      reused: Reused | null
    }
  | { output?: undefined; wait: Park | Elsewhere }

/**
 * One engine call, from request to settled answer, in this order: rate, hold, send, settle.
 *
 *   1. The request is a pure function of package, call and the contents that the call names.
 *   2. Stopped spending, a stopped provider or a refused rate parks the run; nothing was spent.
 *   3. The hold is the claim: a call that was settled before gives its stored answer again, one that
 *      another live worker has open is left to it.
 *   4. Whatever comes back is settled, released, or kept as unknown before anything else happens.
 *
 * Throws ENGINE_*, BUDGET_EXHAUSTED, BUDGET_OVERRUN.
 */
export async function callEngine(
  context: CallContext,
  call: Call,
  ports: CallPorts,
  signal: AbortSignal,
): Promise<Answer> {
  const { run } = context
  const { engine, ledger, rates, spending, clock, content } = ports
  const request = await buildRequest(context, call, ports)
  const body = engine.body(request)
  const estimate = engine.estimate(request, clock.now())

  const asked = { provider: engine.provider, tenantId: run.tenantId, runId: run.id }
  const pass = await spending.check(asked)
  if (!pass.open) return { wait: parkStopped(ports) }
  const room = await rates.take({
    provider: engine.provider,
    tenantId: run.tenantId,
    tokens: estimate.tokens,
  })
  if (!room.granted) return { wait: parkFor(room.retryAfterMs, clock) }

  const key = callKey(call)
  const hold = await ledger.hold({
    ...holdFor(context, call, body, ports),
    callKey: key,
    estimate,
    ...finishing(context, call, estimate, ports),
  })
  if (hold.state !== 'granted' && room.ticket) await rates.end(room.ticket, 'unsent')
  if (hold.state === 'busy') return { wait: new Elsewhere() }
  if (hold.state === 'stopped') return { wait: parkStopped(ports) }
  if (hold.state === 'refused') throw refusalError(hold)
  if (hold.state === 'in_flight') return { wait: parkFor(inFlightMs, clock) }
  if (hold.state === 'settled' || hold.state === 'reused') {
    const text = await content.get(run.tenantId, hold.outputHash)
    const reused = hold.state === 'reused' ? { callKey: key, fromRunId: hold.fromRunId } : null
    return { output: JSON.parse(text), outputHash: hold.outputHash, costMicroUsd: 0, reused }
  }

  const ref: CallRef = { run, callKey: key, seq: hold.seq }
  const outcome = await send(request, body, ports, signal)
  if (room.ticket) await rates.end(room.ticket, outcome)
  if (pass.probe && outcome.kind !== 'billing_stop')
    await spending.probed(asked, 'usage' in outcome)
  return settle(ref, outcome, request, ports)
}

/** What the ledger is told of a call, without its name and its price. */
export function holdFor(
  { run, epoch, package: runPackage, packageHash, stage = 'execute' }: CallContext,
  call: Call,
  body: string,
  { engine, identity }: Pick<Ports, 'engine' | 'identity'>,
): Omit<HoldRequest, 'callKey' | 'estimate'> {
  return {
    run,
    epoch,
    stage,
    workerId: identity.workerId,
    call: canonicalJson(call),
    provider: engine.provider,
    model: engine.model,
    requestHash: sha256(body),
    packageHash,
    reuse: stage === 'execute' && !run.fresh,
    runLimit: runLimit(run, runPackage),
  }
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

/**
 * What the repairs of a draft or phase may cost: each is the same request again, with the answer that
 * it is to correct, of at most `maxOutputTokens`, as further input.
 */
function finishing(
  { package: { limits } }: CallContext,
  { kind }: Call,
  estimate: HoldRequest['estimate'],
  { engine, clock }: CallPorts,
): Pick<HoldRequest, 'finishing'> {
  if (kind !== 'draft' && kind !== 'phase') return {}
  const answer = {
    inputTokens: limits.maxOutputTokens,
    cachedInputTokens: 0,
    outputTokens: 0,
    estimated: true,
  }
  const served = { model: engine.model, tier: 'standard' }
  const unbilled = estimate.microUsd === 0 && estimate.tokens === 0
  if (unbilled) return {}
  const again = engine.price(answer, served, clock.now())
  return {
    finishing: {
      microUsd: limits.repairs * (estimate.microUsd + again),
      tokens: limits.repairs * (estimate.tokens + limits.maxOutputTokens),
    },
  }
}

function refusalError({ level, unit, needed, left, because }: Refusal): AlmanacError {
  return because === 'overrun'
    ? new AlmanacError('BUDGET_OVERRUN', { level })
    : new AlmanacError('BUDGET_EXHAUSTED', { level, unit, needed, left, because })
}

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
  const { maxOutputTokens } = runPackage.limits
  // What is embedded are the call's inputs, and nothing else.
  if (call.kind === 'embed')
    return {
      ...{ package: runPackage, call, inputs },
      ...{ prompt: { instructions: '', input: '' }, jsonSchema: {}, maxOutputTokens: 0 },
    }
  if (call.kind === 'judge')
    return {
      ...{ package: runPackage, call, inputs },
      ...judgeRequest(runPackage, call, inputs),
      maxOutputTokens: Math.min(maxOutputTokens, judgeOutputTokens),
    }
  return {
    package: runPackage,
    call,
    inputs,
    prompt: kind.prompt(runPackage, call, inputs),
    jsonSchema: kind.callSchema?.(runPackage, call) ?? runPackage.output.jsonSchema,
    maxOutputTokens,
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
  ports: CallPorts,
): Promise<Answer> {
  const { engine, ledger, spending, clock } = ports
  const name = engine.name
  switch (outcome.kind) {
    case 'completed': {
      const text = JSON.stringify(outcome.output) ?? 'null'
      const costMicroUsd = engine.price(outcome.usage, outcome.served, clock.now())
      const bill = { ...billed(outcome), costMicroUsd }
      if (!isStorable(text)) {
        await ledger.settle(ref, { ...bill, outputHash: null })
        return { output: undefined, outputHash: null, costMicroUsd, reused: null }
      }
      const answer = hashed(text)
      await ledger.settle(ref, { ...bill, outputHash: answer.hash, answer })
      return { output: outcome.output, outputHash: answer.hash, costMicroUsd, reused: null }
    }
    case 'truncated':
    case 'refused':
    case 'filtered': {
      const costMicroUsd = engine.price(outcome.usage, outcome.served, clock.now())
      await ledger.settle(ref, { ...billed(outcome), costMicroUsd, outputHash: null })
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
      await spending.billingStopped(engine.provider, outcome.code)
      return { wait: parkStopped(ports) }
    case 'misconfigured':
      await ledger.release(ref, outcome.code)
      throw new AlmanacError('ENGINE_MISCONFIGURED', {
        engine: name,
        status: outcome.status,
        reason: outcome.code,
      })
  }
}

const billed = ({ kind, usage, requestId, served }: Extract<Outcome, { usage: unknown }>) => ({
  outcome: kind,
  usage,
  requestId,
  served,
})

const parkFor = (ms: number, clock: Ports['clock']): Park =>
  new Park('backoff', new Date(clock.now().getTime() + ms))

/** Such a run is queued as soon as its provider is resumed; at the latest it is looked at then. */
const stoppedMs = 300_000

/** Waits until spending goes on, or the engine's provider is paid again. */
export const parkStopped = ({ clock, engine }: Pick<Ports, 'clock' | 'engine'>): Park =>
  new Park('provider_stopped', new Date(clock.now().getTime() + stoppedMs), engine.provider)
