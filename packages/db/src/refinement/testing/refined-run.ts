import {
  refinementLimits,
  type RefinementLimits,
  type RunId,
  type Termination,
} from '@almanac/domain'
import { newId } from '@almanac/domain/ids'
import type { HoldRequest, NewStoredVersion, WantedGeneration } from '@almanac/pipeline'
import type { Amount, CheckpointPolicy, ChildCall } from '@almanac/refinement'
import { queueRun, testTenant, type TestTenant } from '../../../../../test/support/postgres.ts'
import type { Database } from '../../pool.ts'
import type { Driver } from '../../testing/drive-run.ts'
import { openRoot, type RootOpening } from '../open-root.ts'
import type { RootClaim } from '../root-key.ts'
import { createVariants, type VariantEnd } from '../variants.ts'

/** A run in its refine stage, the root of a refinement. */
export interface RefinedRun {
  tenant: TestTenant
  claim: RootClaim
  limits: RefinementLimits
}

export const limitsWith = (over: Partial<RefinementLimits> = {}): RefinementLimits =>
  refinementLimits.parse({ maxDepth: 10, maxChildren: 100, ...over })

/** Conditions that end nothing by themselves within a test. */
export const patient: Termination = [{ type: 'target_score', score: 1 }]

/** Moves runs through refinement as the refine stage and its variants do, without engines. */
export function createRefiner(db: Database, driver: Driver, provider = 'test') {
  const { ports, workerId } = driver
  const variants = createVariants(db)
  let made = 0

  const draft = async (tenant: TestTenant, score: number): Promise<NewStoredVersion> => {
    made += 1
    const text = `{"document":${made}}`
    const [contentHash = '', packageHash = ''] = await ports.content.put(tenant.tenantId, [
      text,
      '{}',
    ])
    const evaluation = '{"metrics":[]}'
    return { id: newId('version'), label: `v${made}`, contentHash, packageHash, score, evaluation }
  }

  /** A run whose next stage is refine, running under its present epoch. */
  const atRefine = async (
    given?: TestTenant,
  ): Promise<{ tenant: TestTenant; claim: RootClaim }> => {
    const tenant = given ?? (await testTenant(db))
    const runId = await queueRun(db, tenant, { test: true })
    await driver.admit(tenant.tenantId, 1)
    const { epoch } = await driver.advance(tenant.tenantId, runId, 'refine')
    return { tenant, claim: { tenantId: tenant.tenantId, runId, epoch } }
  }

  const open = async (
    options: {
      tenant?: TestTenant
      limits?: Partial<RefinementLimits>
      policy?: CheckpointPolicy
      score?: number
    } = {},
  ): Promise<RefinedRun> => {
    const { tenant, claim } = await atRefine(options.tenant)
    const limits = limitsWith(options.limits)
    const opening: RootOpening = {
      documentId: newId('document'),
      limits,
      policy: options.policy ?? 'human',
      draft: await draft(tenant, options.score ?? 0.5),
    }
    const found = await openRoot(db, claim, opening)
    if (found !== 'opened') throw new Error(found)
    return { tenant, claim, limits }
  }

  const wanted = (
    { tenant, claim, limits }: RefinedRun,
    over: { children?: number; estimate?: Amount; termination?: unknown; waitMs?: number } = {},
  ): WantedGeneration => ({
    kind: 'variant',
    termination: 'termination' in over ? over.termination : patient,
    children: Array.from({ length: over.children ?? 3 }, (_, i) => ({
      strategy: `strategy-${i}`,
      estimate: over.estimate ?? { microUsd: 1_000, tokens: 100 },
    })),
    holdOf: (call) => holdOf(tenant, claim, limits, call),
    waitMs: over.waitMs ?? 600_000,
  })

  const holdOf = (
    { tenantId, specificationId }: TestTenant,
    { runId, epoch }: RootClaim,
    limits: RefinementLimits,
    { callKey, kind, n, part }: ChildCall,
  ): Omit<HoldRequest, 'callKey' | 'estimate'> => ({
    run: { id: runId, tenantId, specificationId } as HoldRequest['run'],
    epoch,
    stage: 'refine',
    workerId,
    call: JSON.stringify({ kind, n, part }),
    provider,
    model: 'test-1',
    requestHash: callKey,
    packageHash: 'p',
    reuse: false,
    runLimit: { microUsd: limits.microUsd, tokens: limits.tokens },
  })

  const done = async (
    tenant: TestTenant,
    score: number,
    parents: string[] = [],
  ): Promise<VariantEnd> => ({
    state: 'done',
    version: { ...(await draft(tenant, score)), parents: parents as never },
  })

  /** Admits the queued run again: the claim of its next epoch. */
  const comeBack = async ({ tenant, claim }: RefinedRun): Promise<RootClaim> => {
    await driver.admit(tenant.tenantId, 1_000)
    const { epoch } = await driver.load(tenant.tenantId, claim.runId)
    return { ...claim, epoch }
  }

  const stateOf = async (tenant: TestTenant, runId: RunId): Promise<string> =>
    (await driver.load(tenant.tenantId, runId)).state

  return { variants, draft, atRefine, open, wanted, holdOf, done, comeBack, stateOf }
}

export type Refiner = ReturnType<typeof createRefiner>
