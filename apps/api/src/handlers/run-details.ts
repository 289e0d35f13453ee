import {
  getRun,
  listCalls,
  listEvents,
  listRunArtifacts,
  listStages,
  listVersions,
  packageHashOf,
} from '@almanac/db'
import { isTerminal, runPackage, type runRoutes } from '@almanac/domain'
import type { Asked, Handlers } from '../binding/route-handler.ts'
import type { ApiParts } from '../parts.ts'
import { eventStream } from '../watching/event-stream.ts'
import { readLastEventId } from '../watching/last-event-id.ts'
import type { RunWatcher } from '../watching/run-watcher.ts'

type Operations = Extract<
  keyof typeof runRoutes,
  | 'streamRunEvents'
  | 'getRunPackage'
  | 'listRunStages'
  | 'listRunCalls'
  | 'listRunVersions'
  | 'listRunArtifacts'
>

const mostEvents = 1_000

/** The handlers of `/v1/runs/:id/…` that show what a run did. */
export const runDetailHandlers = (parts: ApiParts, watcher: RunWatcher): Handlers<Operations> => {
  const { db, content } = parts
  return {
    streamRunEvents: (asked) => showEvents(parts, watcher, asked),
    getRunPackage: async ({ caller: { tenantId }, params: { id } }) => {
      const hash = await db.withTenant(tenantId, (trx) => packageHashOf(trx, tenantId, id))
      return { body: runPackage.parse(JSON.parse(await content.get(tenantId, hash))) }
    },
    listRunStages: async ({ caller: { tenantId }, params: { id } }) => ({
      body: await db.withTenant(tenantId, (trx) => listStages(trx, tenantId, id)),
    }),
    listRunCalls: async ({ caller: { tenantId }, params: { id } }) => ({
      body: { data: await db.withTenant(tenantId, (trx) => listCalls(trx, tenantId, id)) },
    }),
    listRunVersions: async ({ caller: { tenantId }, params: { id } }) => ({
      body: { data: await db.withTenant(tenantId, (trx) => listVersions(trx, tenantId, id)) },
    }),
    listRunArtifacts: async ({ caller: { tenantId }, params: { id } }) => ({
      body: { data: await db.withTenant(tenantId, (trx) => listRunArtifacts(trx, tenantId, id)) },
    }),
  }
}

async function showEvents(
  { db, limits }: ApiParts,
  watcher: RunWatcher,
  { caller: { tenantId }, params: { id: runId }, query, request, gone }: Asked<'streamRunEvents'>,
) {
  const after = readLastEventId(request.get('last-event-id')) ?? query.after
  // The state first: what moves the run meanwhile is then among the events.
  const { state, events } = await db.withTenant(tenantId, async (trx) => {
    const run = await getRun(trx, tenantId, runId)
    return { ...run, events: await listEvents(trx, tenantId, runId, after, mostEvents) }
  })
  const more = events.length === mostEvents
  if (request.accepts(['text/event-stream', 'application/json']) === 'application/json')
    return {
      body: { data: events, nextCursor: more ? String(events.at(-1)?.seq) : null },
    }
  const over = isTerminal(state) && !more
  // Told that there is nothing, a browser stops asking.
  if (over && events.length === 0) return { status: 204, empty: true } as const
  const watched = { tenantId, runId, after }
  const options = { heartbeatMs: limits.heartbeatMs, signal: gone }
  return {
    headers: { 'content-type': 'text/event-stream; charset=utf-8', 'x-accel-buffering': 'no' },
    stream: eventStream(watcher, watched, events, over, options),
  }
}
