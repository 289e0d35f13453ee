import type { RunId, TenantId } from '@almanac/domain'

/** The root of a refinement: the run whose document it refines. */
export interface RootKey {
  tenantId: TenantId
  runId: RunId
}

/** A root in the hands of its refine stage: everything is fenced by the epoch, like a commit. */
export interface RootClaim extends RootKey {
  epoch: number
}
