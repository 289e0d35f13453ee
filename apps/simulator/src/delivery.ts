import type { Clock } from './clock.ts'
import type { Reply } from './composing/reply.ts'
import type { Fault } from './faults/fault.ts'
import type { Exchange } from './http/exchange.ts'
import type { Pace } from './latency.ts'
import type { LogEntry } from './request-log.ts'
import { countTokens } from './tokens.ts'
import type { StreamedEvent } from './wire/generation-wire.ts'

/** A composed reply on its way to the client. */
export interface Delivery {
  exchange: Exchange
  entry: LogEntry
  reply: Reply
  pace: Pace
  fault: Fault | undefined
  clock: Clock
  tellsUsage: boolean
}

/** What is sent at once is written in parts of about this many characters. */
const partLength = 16 * 1024

/** Sends a reply as server-sent events, each at its time. */
export async function deliverStream(
  delivery: Delivery,
  events: Iterable<StreamedEvent>,
): Promise<void> {
  const { exchange, reply, pace, fault, clock } = delivery
  exchange.begin(200, 'text/event-stream; charset=utf-8')
  const total = countTokens(reply.text)
  const resetAt =
    fault?.name === 'reset_mid_stream' ? Math.floor(total * fault.afterShare) : Infinity
  const start = clock.now()
  let [sent, part] = [0, '']
  for (const { text, tokens } of events) {
    const isBreaking = tokens > 0 ? sent + tokens > resetAt : sent > 0 && sent >= resetAt
    if (isBreaking) {
      await exchange.write(part)
      return exchange.reset()
    }
    if (tokens > 0 && pace.msPerToken > 0) {
      if (part !== '' && !(await exchange.write(part))) return
      part = ''
      const due = start + (sent + tokens) * pace.msPerToken
      if (!(await clock.wait(due - clock.now(), exchange.gone))) return
    }
    sent += tokens
    part += text
    bill(delivery, sent, total)
    if (part.length < partLength) continue
    if (!(await exchange.write(part))) return
    part = ''
  }
  tell(delivery)
  if (part !== '' && !(await exchange.write(part))) return
  exchange.end()
}

/**
 * Sends a reply whole, when all of it would have been generated. The provider generates, and bills,
 * such an answer to its end, whether or not the client is still there.
 */
export async function deliverWhole(delivery: Delivery, compose: () => unknown): Promise<void> {
  const { exchange, reply, pace, fault, clock } = delivery
  const total = countTokens(reply.text)
  bill(delivery, total, total)
  const text = JSON.stringify(compose())
  if (fault?.name === 'slow_drip') return drip(delivery, text)
  if (!(await clock.wait(total * pace.msPerToken, exchange.gone))) return
  if (fault?.name === 'reset_mid_stream') {
    exchange.headers['content-length'] = String(Buffer.byteLength(text))
    exchange.begin(200, 'application/json')
    await exchange.write(text.slice(0, Math.floor(text.length * fault.afterShare)))
    return exchange.reset()
  }
  tell(delivery)
  exchange.send(200, 'application/json', text)
}

/** One character at a time. */
async function drip(delivery: Delivery, text: string): Promise<void> {
  const { exchange, pace, clock } = delivery
  exchange.begin(200, 'application/json')
  for (const character of text) {
    if (!(await clock.wait(pace.msPerToken, exchange.gone))) return
    if (!(await exchange.write(character))) return
  }
  tell(delivery)
  exchange.end()
}

/** Bills what has been sent; with the last token the whole usage, which a fault may have raised. */
function bill({ entry, reply }: Delivery, sent: number, total: number): void {
  if (!entry.billed) return
  entry.billed.outputTokens = sent >= total ? reply.usage.outputTokens : sent
}

function tell({ entry, reply, tellsUsage }: Delivery): void {
  const isTold = tellsUsage && reply.shown === 'full' && entry.billed !== null
  if (isTold) entry.told = reply.usage
}
