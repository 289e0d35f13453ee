import { connectDatabase, createPorts } from '@almanac/db'
import type { HoldRequest } from '@almanac/pipeline'
import { createBudgetMirror } from '@almanac/queue'

/**
 * A process that reserves: reads `{ url, redisUrl, requests }` as JSON from standard input, asks for all
 * at once, and prints how many were granted and refused.
 */
interface Order {
  url: string
  redisUrl: string
  requests: HoldRequest[]
}

let text = ''
for await (const chunk of process.stdin) text += String(chunk)
const { url, redisUrl, requests } = JSON.parse(text) as Order

const db = await connectDatabase({ url })
const mirror = createBudgetMirror({ redisUrl, onError: () => undefined })
const ledger = mirror.guard(createPorts(db, { budgets: mirror.listener }).ledger)
const holds = await Promise.all(requests.map((request) => ledger.hold(request)))
const count = (state: string) => holds.filter((hold) => hold.state === state).length
process.stdout.write(JSON.stringify({ granted: count('granted'), refused: count('refused') }))
await mirror.close()
await db.close()
