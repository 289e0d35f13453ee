import { connectDatabase, createPorts } from '@almanac/db'
import type { HoldRequest } from '@almanac/pipeline'
import { createBudgetMirror } from '@almanac/queue'
import { createInterface } from 'node:readline'

/**
 * A process that reserves. Its first line of standard input is what it works on; every further line
 * is a list of requests, asked all at once and answered by one line. It ends with its input.
 */
export interface Workplace {
  url: string
  redisUrl: string
  /** Its mirror's time stands still: what it was once refused it never forgets by itself. */
  isTimeless: boolean
}

export interface Held {
  granted: number
  refused: number
}

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()
const first = await lines.next()
const { url, redisUrl, isTimeless } = JSON.parse(String(first.value)) as Workplace
const db = await connectDatabase({ url })
const mirror = createBudgetMirror({
  redisUrl,
  onError: () => undefined,
  ...(isTimeless ? { now: () => 0 } : {}),
})
const ledger = mirror.guard(createPorts(db, { budgets: mirror.listener }).ledger)

for (let line = await lines.next(); !line.done; line = await lines.next()) {
  const requests = JSON.parse(line.value) as HoldRequest[]
  const held: Held = { granted: 0, refused: 0 }
  for (const { state } of await Promise.all(requests.map((request) => ledger.hold(request))))
    if (state === 'granted' || state === 'refused') held[state] += 1
    else throw new Error(`a hold is ${state}`)
  process.stdout.write(`${JSON.stringify(held)}\n`)
}
await mirror.close()
await db.close()
