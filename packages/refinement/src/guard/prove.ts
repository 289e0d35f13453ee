import type {
  AuditEvent,
  GenerationKind,
  RefinementLimits,
  RunId,
  StopReason,
  Termination,
} from '@almanac/domain'
import { chainHash } from '@almanac/domain/hash'
import {
  isRefinementAction,
  refinementActs,
  type RefinementAct,
  type RefinementAction,
} from './acts.ts'
import { decideCall } from './decide-call.ts'
import { bestAfter, type Candidate } from './effective-score.ts'
import type { Amount, Lineage } from './lineage.ts'
import { limitsHash, snapshotHash } from './snapshot.ts'
import { bestOf } from './termination.ts'

/** A link of the tenant's audit chain; its event is null where the stored row does not read as one. */
export interface AuditLink {
  seq: number
  previousHash: string
  hash: string
  event: AuditEvent | null
}

export interface Proof {
  holds: boolean
  /** What does not hold, in words; empty when all does. */
  problems: string[]
  acts: number
  generations: number
  children: number
  ended: StopReason | null
}

interface Act<A extends RefinementAction = RefinementAction> {
  action: A
  actor: string
  at: string
  detail: RefinementAct<A>
}

/**
 * Derives the life of a root again from the audit alone, and holds every act against the guard: the
 * links must be a gapless chain of hashes, the root's acts gapless in number, every grant one that
 * `decideCall` makes of what was known by then, every use of an approval its first, every best version
 * the best, every generation merged once. Pure. `links` are the tenant's, in order, from before the
 * root's first act to the chain's head.
 */
export function prove(rootId: RunId, links: readonly AuditLink[]): Proof {
  const problems: string[] = []
  checkChain(links, problems)
  const events = links.flatMap(({ event }) => (event ? [event] : []))
  const proof = proveActs(rootId, events)
  const all = [...problems, ...proof.problems]
  return { ...proof, holds: all.length === 0, problems: all }
}

/** The same of events whose chain somebody else has checked: one chain holds the acts of many roots. */
export function proveActs(rootId: RunId, events: readonly AuditEvent[]): Proof {
  const problems: string[] = []
  const acts = actsOf(rootId, events, problems)
  const story = new Story(rootId, problems)
  for (const act of acts) story.tell(act)
  story.close()
  return {
    holds: problems.length === 0,
    problems,
    acts: acts.length,
    generations: story.grants.length,
    children: story.children,
    ended: story.ended,
  }
}

function checkChain(links: readonly AuditLink[], problems: string[]): void {
  let before: AuditLink | undefined
  for (const link of links) {
    const { seq, previousHash, hash, event } = link
    if (before && seq !== before.seq + 1) problems.push(`link ${seq} follows link ${before.seq}`)
    if (before && previousHash !== before.hash)
      problems.push(`link ${seq} does not follow from link ${before.seq}`)
    if (!event) problems.push(`the event of link ${seq} does not read as one`)
    else if (chainHash({ seq, previousHash, event }) !== hash)
      problems.push(`the event of link ${seq} does not give its hash`)
    before = link
  }
}

function actsOf(rootId: RunId, events: readonly AuditEvent[], problems: string[]): Act[] {
  const acts: Act[] = []
  for (const event of events) {
    if (event.subject !== rootId || !isRefinementAction(event.action)) continue
    const { id, action, actor, at } = event
    const detail = refinementActs[action].safeParse(event.detail)
    if (detail.success) acts.push({ action, actor, at, detail: detail.data })
    else problems.push(`${id} does not read as ${action}`)
  }
  acts.sort((a, b) => a.detail.act - b.detail.act)
  acts.forEach(({ action, detail }, i) => {
    if (detail.act !== i + 1)
      problems.push(`act ${i + 1} is missing before ${action}, which is act ${detail.act}`)
  })
  return acts
}

type Requested = Act<'checkpoint.requested'>['detail'] & {
  decided: { decision: string; by: string; at: string } | null
  used: boolean
}

/** One generation that was granted, and what came of it. */
interface Granted {
  kind: GenerationKind
  children: number
  parent: Candidate
  closed: Map<number, Candidate | null>
  merged: boolean
  termination: Termination
}

const none: Amount = { microUsd: 0, tokens: 0 }

/** The state of a root as its acts tell it, one after the other. */
class Story {
  readonly grants: Granted[] = []
  children = 0
  ended: StopReason | null = null
  #rootId: RunId
  #problems: string[]
  #started: Act<'refinement.started'>['detail'] | undefined
  #limits: RefinementLimits | undefined
  #bests: Lineage['bests'] = []
  #spent = none
  #last: Lineage['last'] = null
  #known = new Map<string, Candidate>()
  #checkpoints = new Map<string, Requested>()
  #lent = new Set<string>()

  constructor(rootId: RunId, problems: string[]) {
    this.#rootId = rootId
    this.#problems = problems
  }

  #wrong(detail: { act: number }, what: string) {
    this.#problems.push(`act ${detail.act}: ${what}`)
  }

  tell(act: Act): void {
    const { detail } = act
    if (!this.#started && act.action !== 'refinement.started')
      this.#wrong(detail, `${act.action} before the root was started`)
    if (
      this.ended !== null &&
      act.action !== 'refinement.rolled_back' &&
      act.action !== 'checkpoint.answer_refused' &&
      act.action !== 'refinement.attempt_refused' &&
      act.action !== 'refinement.refused'
    )
      this.#wrong(detail, `${act.action} after the end`)
    if (isAct(act, 'refinement.started')) this.#start(act.detail)
    else if (isAct(act, 'refinement.granted')) this.#grant(act)
    else if (isAct(act, 'refinement.variant_closed')) this.#closeVariant(act.detail)
    else if (isAct(act, 'refinement.merged')) this.#merge(act.detail)
    else if (isAct(act, 'refinement.limits_changed')) this.#changeLimits(act)
    else if (isAct(act, 'refinement.rolled_back')) this.#rollBack(act.detail)
    else if (isAct(act, 'refinement.ended')) this.#end(act.detail)
    else if (isAct(act, 'checkpoint.requested')) this.#request(act.detail)
    else if (isAct(act, 'checkpoint.decided')) this.#decide(act)
    else if (isAct(act, 'checkpoint.lent'))
      this.#lent.add(`${act.detail.checkpointId} ${act.detail.to}`)
  }

  close(): void {
    if (!this.#started) this.#problems.push('the audit has no start of this root')
  }

  #start(detail: Act<'refinement.started'>['detail']): void {
    if (this.#started) return this.#wrong(detail, 'the root was started before')
    if (limitsHash(detail.limits) !== detail.limitsHash)
      this.#wrong(detail, 'the limits have another hash')
    this.#started = detail
    this.#limits = detail.limits
    this.#bests = [detail.draft]
    this.#spent = detail.spent
    this.#known.set(detail.draft.id, detail.draft)
  }

  /** A grant must be what the guard decides of what was known by then. */
  #grant({ detail }: Act<'refinement.granted'>): void {
    const { generation, kind, children, estimate, snapshot, checkpointId } = detail
    const limits = this.#limits
    if (!limits) return
    if (generation !== this.grants.length + 1)
      this.#wrong(detail, `generation ${generation} is out of turn`)
    if (detail.limitsHash !== limitsHash(limits))
      this.#wrong(detail, 'it was granted under other limits')
    for (const unit of ['microUsd', 'tokens'] as const)
      if (snapshot.costSpent[unit] < this.#spent[unit])
        this.#wrong(
          detail,
          `it counts ${snapshot.costSpent[unit]} ${unit} as spent, but ${this.#spent[unit]} were`,
        )
    const checkpoint = checkpointId === null ? undefined : this.#checkpoints.get(checkpointId)
    if (checkpointId !== null && !checkpoint)
      this.#wrong(detail, 'its checkpoint was never requested')
    const decision = decideCall(this.#lineageFor(detail, checkpoint), limits, {
      kind,
      children,
      estimate,
      termination: snapshot.termination,
      verdicts: detail.verdicts ?? [],
    })
    if (decision.kind === 'refused')
      this.#wrong(
        detail,
        `the guard refuses it: ${decision.refusal.code} (${decision.refusal.limit} ${decision.refusal.value}, allowed ${decision.refusal.allowed})`,
      )
    else if (decision.kind === 'checkpoint')
      this.#wrong(detail, 'it needed a decision that was not there')
    else if (snapshotHash(decision.snapshot, { kind, children, estimate }) !== detail.snapshotHash)
      this.#wrong(detail, 'its snapshot is not that of the lineage')
    else if (decision.checkpointId !== checkpointId)
      this.#wrong(detail, 'it used a decision that it did not need')
    if (checkpoint) checkpoint.used = true
    this.children += children
    const parent = this.#known.get(snapshot.parentId)
    if (!parent) return this.#wrong(detail, 'it grows from a version that nobody knows')
    const { termination } = snapshot
    this.grants.push({ kind, children, parent, closed: new Map(), merged: false, termination })
  }

  #lineageFor(
    { snapshot }: Act<'refinement.granted'>['detail'],
    checkpoint: Requested | undefined,
  ): Lineage {
    const { costSpent: spent, budgetRemaining: left } = snapshot
    const limits = this.#limits ?? { microUsd: 0, tokens: 0 }
    const held = (unit: keyof Amount) => Math.max(0, limits[unit] - spent[unit] - left[unit])
    return {
      rootId: this.#rootId,
      parentId: bestOf({ bests: this.#bests }).id,
      depth: this.grants.length,
      childrenGenerated: this.children,
      spent,
      held: { microUsd: held('microUsd'), tokens: held('tokens') },
      bests: this.#bests,
      last: this.#last,
      generationOpen: this.grants.some(({ merged }) => !merged),
      ended: this.ended,
      checkpoint: checkpoint
        ? {
            id: checkpoint.checkpointId,
            decision: checkpoint.decided?.decision === 'approved' ? 'approved' : 'denied',
            limitsHash: checkpoint.limitsHash,
            snapshotHash: checkpoint.snapshotHash,
            used: checkpoint.used,
          }
        : null,
      deadlineAt: this.#started?.deadlineAt ?? null,
      now: snapshot.timestamp,
    }
  }

  #closeVariant(detail: Act<'refinement.variant_closed'>['detail']): void {
    const { generation, ordinal, state, versionId, score, microUsd, tokens } = detail
    const grant = this.grants[generation - 1]
    if (!grant || ordinal > grant.children)
      return this.#wrong(detail, 'nobody granted this variant')
    if (grant.closed.has(ordinal))
      this.#wrong(detail, `variant ${generation}-${ordinal} was closed before`)
    if (grant.merged) this.#wrong(detail, `generation ${generation} was merged before`)
    if ((state === 'done') !== (versionId !== null && score !== null))
      this.#wrong(detail, 'a variant has a version if and only if it is done')
    const version =
      versionId === null || score === null ? null : { id: versionId, score, depth: generation }
    grant.closed.set(ordinal, version)
    if (version) this.#known.set(version.id, version)
    this.#spent = {
      microUsd: this.#spent.microUsd + microUsd,
      tokens: this.#spent.tokens + tokens,
    }
  }

  #merge(detail: Act<'refinement.merged'>['detail']): void {
    const { generation, merge, merged, best } = detail
    const grant = this.grants[generation - 1]
    const limits = this.#limits
    if (!grant || !limits) return this.#wrong(detail, 'nobody granted this generation')
    if (grant.merged) this.#wrong(detail, `generation ${generation} was merged before`)
    if (grant.closed.size !== grant.children)
      this.#wrong(
        detail,
        `${grant.children - grant.closed.size} variants of generation ${generation} are open`,
      )
    grant.merged = true
    if ((merge === 'accepted') !== (merged !== null))
      this.#wrong(detail, 'a version comes of an accepted merge only')
    const done = [...grant.closed.values()].filter((version) => version !== null)
    const version = merged && { id: merged.id, score: merged.score, depth: generation }
    if (merged && version) {
      for (const id of merged.parents) {
        const parent = this.#known.get(id)
        if (!parent) this.#wrong(detail, `its parent ${id} is not known`)
        else if (parent.score > merged.score) this.#wrong(detail, `its parent ${id} scores more`)
      }
      this.#known.set(version.id, version)
    }
    const before: Candidate = bestOf({ bests: this.#bests })
    const right = bestAfter(grant.kind, { before, made: done, merged: version }, limits.decay)
    if (right.id !== best.id || right.score !== best.score || right.depth !== best.depth)
      this.#wrong(detail, `${best.id} goes on, but ${right.id} is the best`)
    this.#bests = [...this.#bests, best]
    this.#last = { kind: grant.kind, done: done.length, merge }
  }

  #request(detail: Act<'checkpoint.requested'>['detail']): void {
    const { checkpointId, generation } = detail
    if (this.#checkpoints.has(checkpointId))
      this.#wrong(detail, 'the checkpoint was requested before')
    if (generation !== this.grants.length + 1)
      this.#wrong(detail, 'it is not of the next generation')
    if (this.#limits && detail.limitsHash !== limitsHash(this.#limits))
      this.#wrong(detail, 'it was requested under other limits')
    this.#checkpoints.set(checkpointId, { ...detail, decided: null, used: false })
  }

  #decide({ detail, actor, at }: Act<'checkpoint.decided'>): void {
    const { checkpointId, decision } = detail
    const checkpoint = this.#checkpoints.get(checkpointId)
    if (!checkpoint) return this.#wrong(detail, 'the checkpoint was never requested')
    if (checkpoint.decided) this.#wrong(detail, 'the checkpoint was decided before')
    checkpoint.decided = { decision, by: actor, at }
    if (decision !== 'approved') return
    if (Date.parse(at) >= Date.parse(checkpoint.expiresAt))
      this.#wrong(detail, 'it was approved after it had expired')
    if (this.#limits && checkpoint.limitsHash !== limitsHash(this.#limits))
      this.#wrong(detail, 'it was approved under other limits')
    if (actor.startsWith('policy:')) {
      if (typeof this.#started?.policy !== 'object')
        this.#wrong(detail, 'no policy may approve for this root')
    } else if (actor === checkpoint.requestedBy && !this.#started?.selfApproval)
      this.#wrong(detail, 'it was approved by who had asked for it')
  }

  #changeLimits({ detail }: Act<'refinement.limits_changed'>): void {
    if (limitsHash(detail.limits) !== detail.limitsHash)
      this.#wrong(detail, 'the limits have another hash')
    this.#limits = detail.limits
  }

  #rollBack(detail: Act<'refinement.rolled_back'>['detail']): void {
    const { best } = detail
    const known = this.#known.get(best.id)
    if (known?.score !== best.score || known.depth !== best.depth)
      this.#wrong(detail, `${best.id} is not a version of this root`)
    this.#bests = [...this.#bests.slice(0, -1), best]
  }

  #end(detail: Act<'refinement.ended'>['detail']): void {
    const best = this.#bests.at(-1)
    if (best?.id !== detail.best.id)
      this.#wrong(
        detail,
        `it ends with ${detail.best.id}, but ${best?.id ?? 'nothing'} is the best`,
      )
    if (this.grants.some(({ merged }) => !merged))
      this.#wrong(detail, 'a generation was not merged')
    if (detail.stopReason === 'plugin' && !this.#endedByPlugin(detail))
      this.#wrong(detail, 'no condition of a plugin had come true')
    this.ended = detail.stopReason
  }

  /** Before the first grant, the audit does not hold the conditions. */
  #endedByPlugin({ verdicts = [] }: Act<'refinement.ended'>['detail']): boolean {
    const asked = this.grants.at(-1)?.termination
    return verdicts.some(
      ({ name, generation, because }) =>
        because !== null &&
        generation === this.grants.length &&
        (!asked || asked.some((one) => one.type === 'plugin' && one.name === name)),
    )
  }
}

const isAct = <A extends RefinementAction>(act: Act, action: A): act is Act<A> =>
  act.action === action
