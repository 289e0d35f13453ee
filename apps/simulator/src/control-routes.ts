import { z } from 'zod'
import { parse } from '@almanac/domain'
import type { Control, SettingsChange } from './control.ts'
import { faultRule } from './faults/fault-book.ts'
import { jsonOf, type Exchange } from './http/exchange.ts'
import type { Handler, Route } from './http/router.ts'
import type { RequestLog } from './request-log.ts'
import { seed } from './settings.ts'

const rules = z.union([z.array(faultRule), faultRule.transform((rule) => [rule])])
const seedChange = z.strictObject({ seed })
/** Its keys and values are parsed where they are applied. */
const settingsChange = z.custom<SettingsChange>(
  (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
  'must be an object',
)

const page = z.object({
  /** Only requests after this one. */
  after: z.coerce.number().int().min(0).default(0),
  limit: z.coerce.number().int().min(1).max(10_000).default(1_000),
  /** Whether the bodies are told. */
  bodies: z.enum(['true', 'false']).default('true'),
})

/** The simulator's own API: faults, settings, and what it has recorded. */
export function controlRoutes(control: Control, log: RequestLog): Route[] {
  const change =
    (name: 'latency' | 'limits' | 'probabilities'): Handler =>
    async (exchange) =>
      exchange.sendJson(200, control.change({ [name]: await bodyOf(exchange) }))

  return [
    {
      method: 'POST',
      path: '/_control/faults',
      handle: async (exchange) => {
        const given = parse(rules, await bodyOf(exchange))
        exchange.sendJson(200, { data: control.addFaults(...given) })
      },
    },
    {
      method: 'GET',
      path: '/_control/faults',
      handle: (exchange) => exchange.sendJson(200, { data: control.faults() }),
    },
    {
      method: 'DELETE',
      path: '/_control/faults',
      handle: (exchange) => exchange.sendJson(200, { removed: control.removeFaults() }),
    },
    {
      method: 'DELETE',
      path: '/_control/faults/:id',
      handle: (exchange, { id }) =>
        exchange.sendJson(200, { removed: control.removeFaults(id ?? '') }),
    },
    {
      method: 'GET',
      path: '/_control/requests',
      handle: (exchange) => exchange.sendJson(200, requestsPage(exchange, log)),
    },
    {
      method: 'DELETE',
      path: '/_control/requests',
      handle: (exchange) => exchange.sendJson(200, { removed: log.clear() }),
    },
    {
      method: 'GET',
      path: '/_control/totals',
      handle: (exchange) => exchange.sendJson(200, log.totals()),
    },
    {
      method: 'GET',
      path: '/_control/settings',
      handle: (exchange) => exchange.sendJson(200, control.settings()),
    },
    {
      method: 'POST',
      path: '/_control/settings',
      handle: async (exchange) =>
        exchange.sendJson(200, control.change(parse(settingsChange, await bodyOf(exchange)))),
    },
    {
      method: 'POST',
      path: '/_control/seed',
      handle: async (exchange) =>
        exchange.sendJson(200, control.change(parse(seedChange, await bodyOf(exchange)))),
    },
    { method: 'POST', path: '/_control/latency', handle: change('latency') },
    { method: 'POST', path: '/_control/limits', handle: change('limits') },
    { method: 'POST', path: '/_control/probabilities', handle: change('probabilities') },
  ]
}

const bodyOf = async (exchange: Exchange) => jsonOf(await exchange.body(), exchange.contentType)

function requestsPage({ query }: Exchange, log: RequestLog) {
  const { after, limit, bodies } = parse(page, Object.fromEntries(query))
  const later = log.entries().filter(({ seq }) => seq > after)
  const data = later.slice(0, limit).map((entry) => ({
    ...entry,
    body: bodies === 'true' ? (log.bodyOf(entry)?.toString('utf8') ?? null) : null,
  }))
  return { data, nextAfter: later.length > limit ? (data.at(-1)?.seq ?? null) : null }
}
