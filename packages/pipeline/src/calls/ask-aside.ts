import type { Call } from '@almanac/documents'
import { isAlmanacError, type ErrorCode } from '@almanac/domain'
import { Elsewhere } from '../stage.ts'
import { callEngine, type CallContext, type CallPorts } from './call-engine.ts'

/** What came of a call that the document does not depend on: its answer, or why there is none. */
export type AsideAnswer = { output: unknown } | { why: string }

/**
 * A call beside the making of the document: held, sent and settled like any other, but whatever goes
 * wrong, is refused or does not fit the budget is told in words, ends nothing, and is not waited for.
 * Elsewhere: another worker has the call open. `callMs` is how long it may take.
 */
export async function askAside(
  context: CallContext,
  call: Call,
  ports: CallPorts,
  signal: AbortSignal,
  callMs: number,
): Promise<AsideAnswer | Elsewhere> {
  try {
    const time = AbortSignal.any([signal, AbortSignal.timeout(callMs)])
    const answer = await callEngine(context, call, ports, time)
    if (!('wait' in answer)) return { output: answer.output }
    if (answer.wait instanceof Elsewhere) return answer.wait
    return { why: waits[answer.wait.reason] ?? 'the provider has no room for it now' }
  } catch (cause) {
    signal.throwIfAborted()
    if (isAlmanacError(cause) && isOfTheCall(cause.code)) return { why: cause.message }
    throw cause
  }
}

const waits: Partial<Record<string, string>> = {
  provider_stopped: 'no calls are made now: spending or the provider is stopped',
}

/** What such a call may fail by; anything else is a fault of this Almanac, and the stage's to try again. */
const isOfTheCall = (code: ErrorCode): boolean =>
  /^(ENGINE|BUDGET)_/.test(code) || code === 'RATE_LIMIT_TOO_LOW' || code === 'INPUT_INVALID'
