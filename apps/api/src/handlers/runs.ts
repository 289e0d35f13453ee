import {
  acceptRerun,
  acceptRun,
  cancelRun,
  getRun,
  listRuns,
  retractRun,
  type Trx,
} from '@almanac/db'
import { isTerminal, type RunResource, type RunId, type runRoutes } from '@almanac/domain'
import type { Asked, Handlers, JsonAnswer } from '../binding/route-handler.ts'
import type { ApiParts } from '../parts.ts'
import { preferredWait } from '../watching/prefer-wait.ts'
import type { RunWatcher } from '../watching/run-watcher.ts'

type Operations = Extract<
  keyof typeof runRoutes,
  'createRun' | 'listRuns' | 'getRun' | 'cancelRun' | 'retryRun' | 'rerunRun' | 'retractRun'
>
type Starting = Asked<'createRun'> | Asked<'retryRun'> | Asked<'rerunRun'>
type RunAnswer = JsonAnswer<RunResource>

/** The handlers of `/v1/runs` that start, list and stop runs. */
export function runHandlers(parts: ApiParts, watcher: RunWatcher): Handlers<Operations> {
  const { db, clock, urlOf, wake, wakeCancel } = parts

  const started = async (
    trx: Trx,
    { caller: { tenantId } }: Starting,
    runId: RunId,
    status: 200 | 201,
  ): Promise<RunAnswer> => ({
    status,
    headers: { location: urlOf(`/v1/runs/${runId}`) },
    body: await getRun(trx, tenantId, runId),
  })

  const afterwards = (asked: Starting, answer: RunAnswer): Promise<RunAnswer> => {
    wake()
    return awaitEnd(parts, watcher, asked, answer)
  }

  return {
    createRun: {
      async change(trx, asked) {
        const { tenantId, principalId } = asked.caller
        const accepted = await acceptRun(trx, tenantId, principalId, asked.body, clock.now())
        return started(trx, asked, accepted.runId, accepted.existing ? 200 : 201)
      },
      afterwards,
    },
    retryRun: {
      async change(trx, asked) {
        const { tenantId, principalId } = asked.caller
        const how = { trigger: 'retry', fromStage: 'execute' } as const
        const { id } = asked.params
        const runId = await acceptRerun(trx, tenantId, principalId, id, how, clock.now())
        return started(trx, asked, runId, 201)
      },
      afterwards,
    },
    rerunRun: {
      async change(trx, asked) {
        const { tenantId, principalId } = asked.caller
        const how = { trigger: 'rerun', ...asked.body } as const
        const { id } = asked.params
        const runId = await acceptRerun(trx, tenantId, principalId, id, how, clock.now())
        return started(trx, asked, runId, 201)
      },
      afterwards,
    },
    listRuns: async ({ caller: { tenantId }, query }) => ({
      body: await db.withTenant(tenantId, (trx) => listRuns(trx, tenantId, query)),
    }),
    getRun: async ({ caller: { tenantId }, params: { id } }) => ({
      body: await db.withTenant(tenantId, (trx) => getRun(trx, tenantId, id)),
    }),
    cancelRun: async ({ caller: { tenantId, principalId }, params: { id } }) => {
      const cancelled = await db.withTenant(tenantId, (trx) =>
        cancelRun(trx, tenantId, principalId, id),
      )
      if (cancelled.state === 'cancelling') wakeCancel()
      // Its period is free: whoever waited for it is queued now.
      else wake()
      return { body: cancelled }
    },
    retractRun: async ({ caller, params: { id }, body: { reason } }) => ({
      body: await db.withTenant(caller.tenantId, (trx) =>
        retractRun(trx, caller.tenantId, caller.principalId, id, reason),
      ),
    }),
  }
}

/**
 * With `Prefer: wait=N`: the run as it is when it ends (200), or after N seconds (202). A run that
 * failed is an answer like any other; its `error` says why.
 */
async function awaitEnd(
  { db, limits }: ApiParts,
  watcher: RunWatcher,
  { caller: { tenantId }, request, gone }: Starting,
  answer: RunAnswer,
): Promise<RunAnswer> {
  const seconds = preferredWait(request, limits.waitSeconds)
  if (seconds === undefined) return answer
  const { id: runId, state } = answer.body
  if (!isTerminal(state)) {
    const options = { withinMs: seconds * 1_000, signal: gone }
    await watcher.ended({ tenantId, runId, after: 0 }, options)
  }
  const body = await db.withTenant(tenantId, (trx) => getRun(trx, tenantId, runId))
  return {
    status: isTerminal(body.state) ? 200 : 202,
    headers: { ...answer.headers, 'preference-applied': `wait=${seconds}` },
    body,
  }
}
