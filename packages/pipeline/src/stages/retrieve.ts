import { AlmanacError, narrowScope, scopeOf, unentitled } from '@almanac/domain'
import { retrieved } from '../outputs.ts'
import type { Ports } from '../ports.ts'
import { defineStage } from '../stage.ts'

/** Loads the revision that the run is bound to and checks, live, that it may run at all. */
export const retrieve = defineStage({
  name: 'retrieve',
  tries: 3,
  timeoutMs: 10_000,
  input: {},
  output: retrieved,
  run: async ({ run }, { specifications }: Pick<Ports, 'specifications'>) => {
    const bound = await specifications.bound(run)
    if (bound.tenantSuspended) throw new AlmanacError('TENANT_SUSPENDED', {})
    if (bound.state !== 'active' && !(run.test && bound.state === 'draft'))
      throw new AlmanacError('SPEC_NOT_ACTIVE', { name: bound.body.name, state: bound.state })
    const missing = unentitled(bound.body, bound.entitlement)
    if (missing.length > 0) throw new AlmanacError('SCOPE_NOT_ENTITLED', { missing })
    const { onDemandRunsPerMonth } = bound.entitlement
    const onDemand = bound.body.cadence === 'on_demand' && !run.test
    if (onDemand && bound.onDemandRunsThisMonth > onDemandRunsPerMonth)
      throw new AlmanacError('QUOTA_EXHAUSTED', {
        what: 'on-demand runs a month',
        limit: onDemandRunsPerMonth,
      })
    const scope = narrowScope(scopeOf(bound.body), run.narrow)
    return {
      specificationId: run.specificationId,
      revision: run.revision,
      hash: bound.hash,
      kind: bound.body.kind,
      scope,
      narrowed: run.narrow !== null,
    }
  },
})
