import { admit, json, playInstead, receive } from './admission.ts'
import { composeReply, type Reply, type ReplyTo } from './composing/reply.ts'
import { deliverStream, deliverWhole } from './delivery.ts'
import type { Fault } from './faults/fault.ts'
import type { Handler } from './http/router.ts'
import { paceOf, type Pace } from './latency.ts'
import type { LogEntry } from './request-log.ts'
import { seededHex } from './seeded.ts'
import { storeAnswer, type Simulation } from './simulation.ts'
import { countTokens } from './tokens.ts'
import type { Answer, GenerationFacts, GenerationWire } from './wire/generation-wire.ts'
import { asApiError } from './wire/schema-param.ts'

/**
 * Answers requests of one of the generating APIs:
 *
 *   1. The body is read and recorded, whatever it is; the key is checked; the parameters are read.
 *   2. The key's rate limits are taken from, then the request's fault is chosen.
 *   3. Faults that come in place of an answer are played, and that is all.
 *   4. The whole reply is composed, spoiled by the fault where it is one of the content. From here on
 *      the request is billed: its input at once, its output as it is sent.
 *   5. After the time to the first byte it is delivered, streamed or whole.
 */
export function generationHandler<Request>(
  wire: GenerationWire<Request>,
  simulation: Simulation,
): Handler {
  return async (exchange) => {
    const { settings, clock, models } = simulation
    const { body, entry } = await receive(exchange, simulation)
    const request = wire.read(json(exchange, body))
    const facts = wire.facts(request)
    describe(entry, facts)
    const model = models.served(facts.model)
    const ask = wire.ask(request)
    const fault = admit(exchange, simulation, {
      body,
      model: facts.model,
      // The provider's rule: what may be generated, or what was sent, whichever is more.
      tokens: Math.max(ask.maxOutputTokens ?? 0, ask.inputTokens),
      generates: true,
    })
    const inputOnly = { inputTokens: ask.inputTokens, cachedTokens: 0, outputTokens: 0 }
    if (await playInstead(exchange, fault, facts.model, inputOnly)) return

    const { seed, cachedInputShare } = settings
    const requestHash = entry.bodyHash
    const reply = compose({ ask, fault, seed, requestHash, cachedInputShare }, wire.schemaParam)
    const pace = paceWith(fault, reply, simulation, requestHash)
    const answer: Answer<Request> = {
      request,
      reply,
      model,
      id: seededHex(48, seed, 'id', requestHash),
      createdAt: Math.floor(clock.now() / 1000),
      tokensPerDelta: pace.tokensPerDelta,
      requestId: exchange.requestId,
    }
    begin(entry, reply)
    if (!(await clock.wait(pace.firstByteMs, exchange.gone))) return
    keep(simulation, wire, answer)
    const delivery = { exchange, entry, reply, pace, fault, clock, tellsUsage: facts.tellsUsage }
    await (facts.stream
      ? deliverStream(delivery, wire.events(answer))
      : deliverWhole(delivery, () => wire.whole(answer)))
  }
}

function compose(to: ReplyTo, param: string): Reply {
  try {
    return composeReply(to)
  } catch (error) {
    throw asApiError(error, { name: to.ask.schemaName, param })
  }
}

function describe(entry: LogEntry, facts: GenerationFacts): void {
  const { model, stream, store, serviceTier, metadata } = facts
  const callKey = metadata.callKey ?? metadata.call_key ?? null
  Object.assign(entry, { model, stream, store, serviceTier, metadata, callKey })
}

/** What broke is not billed; everything else is, from here on. */
function begin(entry: LogEntry, reply: Reply): void {
  entry.ended = reply.end
  entry.grounded = reply.grounded
  const isFree = reply.end === 'failed' || reply.end === 'error'
  entry.billed = isFree ? null : { ...reply.usage, outputTokens: 0 }
}

function paceWith(
  fault: Fault | undefined,
  reply: Reply,
  { settings }: Simulation,
  requestHash: string,
): Pace {
  const tokens = countTokens(reply.text)
  if (fault?.name === 'slow_drip')
    return { firstByteMs: 0, msPerToken: fault.intervalMs, tokensPerDelta: 1 }
  const pace = paceOf(settings.latency, tokens, settings.seed, requestHash)
  // Small enough that some of the answer is sent before the connection breaks.
  return fault?.name === 'reset_mid_stream'
    ? {
        ...pace,
        tokensPerDelta: Math.max(1, Math.min(pace.tokensPerDelta, Math.floor(tokens / 8))),
      }
    : pace
}

function keep<Request>(
  simulation: Simulation,
  wire: GenerationWire<Request>,
  answer: Answer<Request>,
): void {
  const id = wire.storedId(answer)
  if (id !== null && answer.reply.end !== 'error') storeAnswer(simulation, id, wire.whole(answer))
}
