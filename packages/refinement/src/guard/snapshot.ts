import type {
  GenerationKind,
  RefinementLimits,
  RunId,
  Termination,
  VersionId,
} from '@almanac/domain'
import { hashOf } from '@almanac/domain/hash'
import type { Amount, Lineage } from './lineage.ts'

/** The state of a root at the moment of a call, as the guard saw it. */
export interface SnapshotFacts {
  rootId: RunId
  /** The version that the children grow from. */
  parentId: VersionId
  /** The depth that the children have: one more than the generations before them. */
  depth: number
  /** Children of the generations before this one. */
  childrenGenerated: number
  costSpent: Amount
  /** What neither is spent nor set aside; before this call. */
  budgetRemaining: Amount
  termination: Termination
  /** ISO 8601 in UTC. */
  timestamp: string
}

declare const granted: unique symbol

/** The guard's permission for one generation. Only `decideCall` makes one. */
export type Snapshot = Readonly<SnapshotFacts> & { readonly [granted]: true }

/** How many children each permission is for; what is not in here was not made by the guard. */
const permissions = new WeakMap<Snapshot, number>()

/** For `decideCall` alone: turns facts that it has judged into the permission. */
export function grantSnapshot(facts: SnapshotFacts, children: number): Snapshot {
  const snapshot = Object.freeze({ ...facts }) as Snapshot
  permissions.set(snapshot, children)
  return snapshot
}

/** The state of a root before a call that needs `children` more. */
export const factsOf = (
  lineage: Lineage,
  limits: RefinementLimits,
  termination: Termination,
): SnapshotFacts => ({
  rootId: lineage.rootId,
  parentId: lineage.parentId,
  depth: lineage.depth + 1,
  childrenGenerated: lineage.childrenGenerated,
  costSpent: lineage.spent,
  budgetRemaining: {
    microUsd: Math.max(0, limits.microUsd - lineage.spent.microUsd - lineage.held.microUsd),
    tokens: Math.max(0, limits.tokens - lineage.spent.tokens - lineage.held.tokens),
  },
  termination,
  timestamp: lineage.now,
})

/** What an approval is bound to: everything that was asked for, but not when. */
export function snapshotHash(
  { timestamp: _when, ...facts }: SnapshotFacts,
  { children, estimate, kind }: { children: number; estimate: Amount; kind?: GenerationKind },
): string {
  return hashOf({ ...facts, children, estimate, ...(kind === 'expand' && { kind }) })
}

/** The hash of limits: an approval holds for these and no others. */
export const limitsHash = (limits: RefinementLimits): string => hashOf(limits)

/** One child of a generation that the guard has allowed. */
export interface ChildCall {
  rootId: RunId
  parentId: VersionId
  depth: number
  /** From 1 to the number of children that were allowed. */
  ordinal: number
  /** Kind, number and part of the engine's call: the generation, and the ordinal in it or the phase. */
  kind: GenerationKind
  n: number
  part: string
  /** Unique within the run: `variant:2:1`, `expand:1:phase-2-audit`. */
  callKey: string
  strategy: string
}

/** Which of the children that were allowed a call is for; `part` is the phase of one that expands it. */
export type ChildWish = Pick<ChildCall, 'ordinal' | 'kind' | 'strategy'> & { part?: string }

/**
 * Builds a child call out of the guard's permission; there is no other way to build one. Throws a
 * RangeError for an ordinal that was not allowed, a TypeError for a permission that the guard did not make.
 */
export function createChildCall(
  snapshot: Snapshot,
  { ordinal, kind, strategy, part = String(ordinal) }: ChildWish,
): ChildCall {
  const children = permissions.get(snapshot)
  if (children === undefined) throw new TypeError('the guard did not make this snapshot')
  if (!Number.isInteger(ordinal) || ordinal < 1 || ordinal > children)
    throw new RangeError(`child ${ordinal} is not among the ${children} that were allowed`)
  const { rootId, parentId, depth } = snapshot
  return {
    rootId,
    parentId,
    depth,
    ordinal,
    kind,
    n: depth,
    part,
    callKey: childCallKey(kind, depth, part),
    strategy,
  }
}

/** The key of a child's call. Its repairs are `repair:<count>:<depth>-<ordinal>`. */
export const childCallKey = (kind: GenerationKind, depth: number, part: string): string =>
  `${kind}:${depth}:${part}`
