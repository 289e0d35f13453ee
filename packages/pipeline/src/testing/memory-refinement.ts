import type {
  GenerationKind,
  RefinementLimits,
  RunId,
  StopReason,
  Termination,
  VersionId,
} from '@almanac/domain'
import {
  answerByPolicy,
  bestAfter,
  bestOf,
  createChildCall,
  decideCall,
  refusal,
  refusalError,
  type CheckpointPolicy,
  type Lineage,
} from '@almanac/refinement'
import type {
  BudgetLedger,
  RefinedRoot,
  RefinedVersion,
  Refinement,
  VariantJob,
  VariantWork,
} from '../ports.ts'

type StoredVariant = NonNullable<RefinedRoot['generation']>['variants'][number]

interface MemoryGeneration {
  generation: number
  kind: GenerationKind
  /** What its expansions are of. */
  parts: string[]
  parentId: VersionId
  variants: (StoredVariant & { call: string })[]
  merge: 'accepted' | 'rejected' | 'none' | null
  termination: Termination
}

/** One root as the memory world keeps it. */
export interface MemoryRoot {
  limits: RefinementLimits
  policy: CheckpointPolicy
  packageHash: string
  versions: RefinedVersion[]
  bests: Lineage['bests']
  generations: MemoryGeneration[]
  ended: StopReason | null
}

/** The run of a root, as far as refinement moves it. */
export interface RootRun {
  state: string
  epoch: number
  nextStage: string
  facts: { deadlineAt: string | null }
}

export interface MemoryRefinement {
  refinement: Refinement
  roots: Map<RunId, MemoryRoot>
  /** Jobs of variants that nobody has taken yet. */
  jobs: VariantJob[]
}

/** Refinement in this process: the guard is the real one, and so are the rules of a generation. */
export function createMemoryRefinement(world: {
  runs: Map<RunId, RootRun>
  now(): Date
  move(runId: RunId, to: 'parked' | 'running'): void
  ledger: BudgetLedger
}): MemoryRefinement {
  const roots = new Map<RunId, MemoryRoot>()
  const jobs: VariantJob[] = []
  const mine = ({ runId, epoch }: { runId: RunId; epoch: number }) => {
    const run = world.runs.get(runId)
    return run?.state === 'running' && run.epoch === epoch ? roots.get(runId) : undefined
  }
  const openOf = ({ generations }: MemoryRoot) => generations.find(({ merge }) => merge === null)
  const lineageOf = (runId: RunId, root: MemoryRoot): Lineage => {
    const { bests, generations, ended } = root
    const last = generations.findLast(({ merge }) => merge !== null)
    const done = last?.variants.filter(({ state }) => state === 'done').length ?? 0
    const nothing = { microUsd: 0, tokens: 0 }
    return {
      rootId: runId,
      parentId: bestOf({ bests }).id,
      depth: generations.length,
      childrenGenerated: generations.reduce((sum, { variants }) => sum + variants.length, 0),
      spent: nothing,
      held: nothing,
      bests,
      last: last?.merge ? { kind: last.kind, done, merge: last.merge } : null,
      generationOpen: openOf(root) !== undefined,
      ended,
      checkpoint: null,
      deadlineAt: world.runs.get(runId)?.facts.deadlineAt ?? null,
      now: world.now().toISOString(),
    }
  }
  const variantOf = ({ runId, generation, ordinal }: Omit<VariantJob, 'n'>) =>
    roots.get(runId)?.generations[generation - 1]?.variants.find((one) => one.ordinal === ordinal)

  const refinement: Refinement = {
    open: ({ runId }, { limits, policy, draft }) => {
      const { packageHash, ...version } = draft
      roots.set(runId, {
        limits,
        policy,
        packageHash,
        versions: [{ ...version, depth: 0 }],
        bests: [{ id: draft.id, score: draft.score, depth: 0 }],
        generations: [],
        ended: null,
      })
      return Promise.resolve('opened')
    },
    resume: (claim) => {
      const root = mine(claim)
      if (!root) return Promise.resolve(undefined)
      const generation = openOf(root) ?? null
      const lineage = lineageOf(claim.runId, root)
      const expanded = root.generations.flatMap(({ parts }) => parts)
      return Promise.resolve({ limits: root.limits, lineage, expanded, generation })
    },
    prepare: async (claim, { children, termination, verdicts = [], holdOf, kind }) => {
      const root = mine(claim)
      if (!root) return { kind: 'stale' }
      const lineage = lineageOf(claim.runId, root)
      const estimate = { microUsd: 0, tokens: 0 }
      const call = { kind, children: children.length, estimate, termination, verdicts }
      let decision = decideCall(lineage, root.limits, call)
      if (decision.kind === 'checkpoint') {
        const granted = estimate
        const { decay } = root.limits
        const { answer } = answerByPolicy(root.policy, { lineage, decay, estimate, granted })
        if (answer === 'wait') {
          world.move(claim.runId, 'parked')
          return { kind: 'waiting' }
        }
        const { snapshotHash, limitsHash } = decision.needed
        const checkpoint = { id: 'policy', decision: answer, snapshotHash, limitsHash, used: false }
        decision = decideCall({ ...lineage, checkpoint }, root.limits, call)
      }
      if (decision.kind === 'refused') throw refusalError(decision.refusal)
      if (decision.kind === 'checkpoint')
        throw refusalError(refusal('CHECKPOINT_DENIED', 'checkpoint', 'open', 'decided'))
      const { snapshot } = decision
      const calls = children.map(({ estimate: _, ...child }, i) =>
        createChildCall(snapshot, { ...child, ordinal: i + 1, kind }),
      )
      root.generations.push({
        generation: snapshot.depth,
        kind,
        parts: kind === 'expand' ? calls.map(({ part }) => part) : [],
        parentId: snapshot.parentId,
        termination: snapshot.termination,
        merge: null,
        variants: calls.map((child, i) => ({
          ordinal: child.ordinal,
          state: 'open',
          version: null,
          call: holdOf(child, i).call,
        })),
      })
      world.move(claim.runId, 'parked')
      return Promise.resolve({ kind: 'booked', snapshot, calls })
    },
    recordMerge: (claim, number, outcome) => {
      const root = mine(claim)
      const generation = root && openOf(root)
      if (!root) return Promise.resolve('stale')
      if (generation?.generation !== number) return Promise.resolve('duplicate')
      generation.merge = outcome.merge
      const candidate = ({ id, score }: { id: VersionId; score: number }) => ({
        ...{ id, score, depth: number },
      })
      const made = generation.variants.flatMap(({ version }) => version ?? []).map(candidate)
      const merged = outcome.merge === 'accepted' ? outcome.version : null
      if (merged) root.versions.push({ ...merged, depth: number })
      const found = { before: bestOf(root), made, merged: merged && candidate(merged) }
      root.bests.push(bestAfter(generation.kind, found, root.limits.decay))
      return Promise.resolve('recorded')
    },
    end: (claim, stopReason) => {
      const root = mine(claim)
      if (!root) return Promise.resolve(undefined)
      root.ended ??= stopReason
      return Promise.resolve({ stopReason: root.ended, best: bestOf(root) })
    },
    versions: ({ runId }) => Promise.resolve(roots.get(runId)?.versions ?? []),
    enqueue: (added) => Promise.resolve(void jobs.push(...added)),
    begin: (key) => Promise.resolve(variantOf(key)?.state === 'open' ? 'begun' : 'closed'),
    work: ({ runId, generation, ordinal }): Promise<VariantWork | undefined> => {
      const root = roots.get(runId)
      const own = root?.generations[generation - 1]
      const parent = root?.versions.find(({ id }) => id === own?.parentId)
      const call = own?.variants.find((one) => one.ordinal === ordinal)?.call
      const epoch = world.runs.get(runId)?.epoch
      if (!root || !parent || call === undefined || epoch === undefined)
        return Promise.resolve(undefined)
      return Promise.resolve({ epoch, call, parent, packageHash: root.packageHash })
    },
    finish: (key, outcome) => {
      const root = roots.get(key.runId)
      const variant = variantOf(key)
      const generation = root?.generations[key.generation - 1]
      if (!root || !generation || !variant) throw new Error('there is no such variant')
      const left = () => generation.variants.filter(({ state }) => state === 'open').length
      if (variant.state !== 'open') return Promise.resolve({ remaining: left() })
      variant.state = outcome.state
      if (outcome.state === 'done') {
        variant.version = outcome.version
        root.versions.push({ ...outcome.version, depth: key.generation })
      }
      if (left() === 0) world.move(key.runId, 'running')
      return Promise.resolve({ remaining: left() })
    },
    ledger: world.ledger,
  }
  return { refinement, roots, jobs }
}
