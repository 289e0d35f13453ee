import type { PrincipalId, RunId, StopReason, WorkerId } from '@almanac/domain'
import { AlmanacError, isAlmanacError } from '@almanac/domain'
import type { NewStoredVersion } from '@almanac/pipeline'
import { decideCall, shouldStop, type RefusalCode } from '@almanac/refinement'
import type { AsyncCommand } from 'fast-check'
import { sql } from 'kysely'
import { groupCalls } from '../../group-calls.ts'
import { cancelRun } from '../../nouns/runs.ts'
import type { Database } from '../../pool.ts'
import type { Driver } from '../../testing/drive-run.ts'
import { settlement } from '../../testing/paid-call.ts'
import { raiseLimits } from '../change-limits.ts'
import { answerCheckpoint, expireCheckpoints } from '../checkpoints.ts'
import { prepareCall, type Prepared } from '../prepare-call.ts'
import type { RootClaim, RootKey } from '../root-key.ts'
import { endRoot, recordMerge, type MergeResult } from '../settle-root.ts'
import { resumeRoot, type StoredRoot } from '../stored-root.ts'
import { createVariantLedger, type VariantEnd, type VariantKey } from '../variants.ts'
import { patient, type RefinedRun, type Refiner } from './refined-run.ts'

/** What a root must be like after each command, whatever crashed. */
export interface Model {
  state: 'running' | 'queued' | 'children' | 'checkpoint' | 'cancelled' | 'ended'
  depth: number
  children: number
  /** The generation under way: its size, and which of its variants are open. */
  generation: { size: number; open: Set<number> } | null
  decision: 'none' | 'waiting' | 'approved' | 'denied' | 'expired'
  overrun: boolean
}

/** How a command is disturbed: not at all, rolled back before its commit, its answer lost, or doubled. */
export const faults = ['none', 'rolled back', 'answer lost', 'twice at once'] as const
export type Fault = (typeof faults)[number]

/** The system under test: one root, and how its commands reach it. */
export interface Real {
  db: Database
  driver: Driver
  refiner: Refiner
  world: World
  /** A version of the tenant's one stored document: what is in it matters to nobody here. */
  draft(score: number): NewStoredVersion
  root: RefinedRun
  claim: RootClaim
  other: PrincipalId
  /** A worker whose lease is over: what it begins was begun by one that died then. */
  dead: WorkerId
  checkpointId: string | null
  /** Calls that were sent before. */
  begun: Set<string>
  count(transition: string): void
}

/**
 * What is only looked at, or put in place, goes in one statement for all roots that want it at the time.
 * What is under test goes as in life: a variant's end with those of concurrent jobs, all else alone.
 */
export function createWorld(db: Database) {
  const byRun = <R extends { id: RunId }>(rows: readonly R[], roots: readonly RootKey[]) => {
    const found = new Map(rows.map((row) => [row.id, row]))
    return roots.map(({ runId }) => found.get(runId))
  }
  const wanted = (roots: readonly RootKey[]) =>
    sql`jsonb_to_recordset(${JSON.stringify(roots)}::jsonb) as k ("tenantId" text, "runId" text)`
  return {
    stored: groupCalls(
      async (roots: readonly RootKey[]) =>
        byRun(
          await db.querySystem<Row>(
            'refinement',
            sql`select u.id, u.state, u.park_reason, r.depth, r.children, g.remaining, r.stop_reason,
                (select count(*)::integer from checkpoints c where c.tenant_id = r.tenant_id
                  and c.run_id = r.run_id and c.decision is null) as undecided
              from ${wanted(roots)}
              join refinement_roots r on r.tenant_id = k."tenantId" and r.run_id = k."runId"
              join runs u on u.tenant_id = r.tenant_id and u.id = r.run_id
              left join generations g on g.tenant_id = r.tenant_id and g.run_id = r.run_id
                and g.merged_at is null`,
          ),
          roots,
        ),
      { max: 500 },
    ),
    /** The new epoch of a queued run, which runs from now on. */
    admit: groupCalls(
      async (roots: readonly RootKey[]) =>
        byRun(
          await db.querySystem<{ id: RunId; epoch: number }>(
            'admission',
            sql`update runs r set state = 'running', progress_at = now() from ${wanted(roots)}
              where r.tenant_id = k."tenantId" and r.id = k."runId" and r.state = 'queued'
              returning r.id, r.epoch`,
          ),
          roots,
        ).map((row) => row?.epoch),
      { max: 500 },
    ),
  }
}

export type World = ReturnType<typeof createWorld>

class Crash extends Error {}

/** A database whose transactions do all their work and then lose it. */
const losing = (db: Database): Database => ({
  ...db,
  withSystem: (purpose, work) => db.withSystem(purpose, async (trx) => fail(await work(trx))),
  withTenant: (tenantId, work) => db.withTenant(tenantId, async (trx) => fail(await work(trx))),
})
const fail = (_result: unknown): never => {
  throw new Crash('the process died before the commit')
}

/**
 * Runs an operation under a fault. What was rolled back is not done: undefined. Of what is done twice,
 * the answers are given in an order in which the one that counted comes first.
 */
async function under<T>(
  { db, count }: Real,
  fault: Fault,
  counted: (answer: T) => boolean,
  operation: (db: Database) => Promise<T>,
): Promise<{ first: T; second?: T } | undefined> {
  count(`fault: ${fault}`)
  if (fault === 'rolled back') {
    const crashed = await operation(losing(db)).catch((error: unknown) => error)
    if (!(crashed instanceof Crash)) throw new Error('it was not rolled back', { cause: crashed })
    return undefined
  }
  if (fault === 'twice at once') {
    const [a, b] = await Promise.all([operation(db), operation(db)])
    return counted(a) ? { first: a, second: b } : { first: b, second: a }
  }
  const first = await operation(db)
  return fault === 'answer lost' ? { first, second: await operation(db) } : { first }
}

const assert = (holds: boolean, what: string, found?: unknown) => {
  if (!holds) throw new Error(`${what}: ${JSON.stringify(found)}`)
}

type Row = {
  id: RunId
  state: string
  park_reason: string | null
  depth: number
  children: number
  remaining: number | null
  stop_reason: string | null
  undecided: number
}

/** Holds what is stored against the model. */
export async function compare(model: Model, real: Real): Promise<void> {
  const row = await real.world.stored(real.root.claim)
  const isParked = model.state === 'children' || model.state === 'checkpoint'
  const expected = {
    state: isParked ? 'parked' : model.state === 'ended' ? 'running' : model.state,
    park_reason: isParked ? model.state : null,
    depth: model.depth,
    children: model.children,
    remaining: model.generation ? model.generation.open.size : null,
    undecided: model.decision === 'waiting' ? 1 : 0,
  }
  for (const [name, value] of Object.entries(expected))
    assert(row?.[name as keyof Row] === value, `${name} is to be ${value}`, row)
  assert((row?.stop_reason !== null) === (model.state === 'ended'), 'the end', row)
}

export type RefinementCommand = AsyncCommand<Model, Real>

const command = (
  name: string,
  check: (model: Model) => boolean,
  run: (model: Model, real: Real) => Promise<void>,
): RefinementCommand => ({
  check,
  async run(model, real) {
    await run(model, real)
    await compare(model, real)
  },
  toString: () => name,
})

/** The first step of the stage: what was waited for in vain is over. */
async function comeBack(model: Model, { db, claim }: Real): Promise<StoredRoot> {
  const stored = await resumeRoot(db, claim)
  if (!stored) throw new Error('a running root is not its stage’s')
  model.generation?.open.clear()
  if (model.decision === 'waiting') model.decision = 'expired'
  return stored
}

type PrepareAnswer = Prepared | { kind: 'refused'; code: RefusalCode }

export const prepare = (children: number, microUsd: number, fault: Fault) =>
  command(
    `prepare ${children} for ${microUsd} each, ${fault}`,
    ({ state }) => state === 'running',
    async (model, real) =>
      askFor(model, real, { stored: await comeBack(model, real), children, microUsd, fault }),
  )

/** Asks the guard for a generation, after what the stage has found. */
async function askFor(
  model: Model,
  real: Real,
  {
    stored,
    children,
    microUsd,
    fault,
  }: { stored: StoredRoot; children: number; microUsd: number; fault: Fault },
): Promise<void> {
  const { claim, root, refiner, count } = real
  const estimate = { microUsd, tokens: 10 }
  const call = {
    children,
    estimate: { microUsd: microUsd * children, tokens: 10 * children },
    termination: patient,
  }
  const expected = decideCall(stored.lineage, stored.limits, call)
  const answers = await under<PrepareAnswer>(
    real,
    fault,
    ({ kind }) => kind !== 'stale',
    (under) =>
      prepareCall(under, claim, refiner.wanted({ ...root, claim }, { children, estimate })).catch(
        (error: unknown) => {
          if (!isAlmanacError(error, 'REFINEMENT_REFUSED')) throw error
          return { kind: 'refused', code: error.params.refusal as RefusalCode }
        },
      ),
  )
  if (!answers) return
  const { first, second } = answers
  count(`prepare: ${first.kind}`)
  if (first.kind === 'refused') count(`refused: ${first.code}`)
  const again = first.kind === 'refused' ? 'refused' : 'stale'
  if (second) assert(second.kind === again, 'the second answer', second)
  const isBlocked = first.kind === 'refused' && first.code === 'BUDGET_EXHAUSTED' && model.overrun
  if (isBlocked) {
    if (stored.lineage.checkpoint?.decision === 'approved') model.decision = 'approved'
    return
  }
  const wanted = { granted: 'booked', checkpoint: 'waiting', refused: 'refused' }[expected.kind]
  assert(first.kind === wanted, `the guard says ${wanted}`, first)
  if (first.kind === 'waiting') {
    real.checkpointId = first.checkpointId
    model.decision = 'waiting'
    model.state = 'checkpoint'
  }
  if (first.kind === 'booked') {
    model.state = 'children'
    model.decision = 'none'
    model.depth += 1
    model.children += children
    model.generation = {
      size: children,
      open: new Set(Array.from({ length: children }, (_, i) => i + 1)),
    }
  }
}

const variantKey = ({ root }: Real, { depth }: Model, ordinal: number) => ({
  ...root.claim,
  generation: depth,
  ordinal,
})

/** A variant does its work, or fails, or is cancelled; possibly without having begun, possibly long closed. */
export const closeVariant = (
  ordinal: number,
  how: 'done' | 'failed' | 'cancelled',
  score: number,
  cost: number | null,
  fault: Fault,
) =>
  command(
    `variant ${ordinal} ${how} at ${score}, cost ${cost ?? 'none'}, ${fault}`,
    ({ depth }) => depth > 0,
    async (model, real) => {
      const { refiner, driver, count } = real
      // A variant may still finish while its run, woken at its deadline, waits for its stage.
      const isOpen = model.generation?.open.has(ordinal) === true
      if (isOpen && cost !== null && model.state === 'children') {
        const begun = await refiner.variants.begin(
          variantKey(real, model, ordinal),
          driver.workerId,
        )
        assert(begun === 'begun', 'an open variant begins', begun)
        await pay(model, real, ordinal, cost)
      }
      const end: VariantEnd =
        how === 'done'
          ? { state: 'done', version: { ...real.draft(score), parents: [] } }
          : how === 'failed'
            ? { state: 'failed', errorCode: 'OUTPUT_INVALID' }
            : { state: 'cancelled' }
      count(`fault: ${fault}`)
      if (fault === 'rolled back') return
      const key = variantKey(real, model, ordinal)
      const finish = () => refiner.variants.finish(key, end)
      const answers =
        fault === 'twice at once'
          ? await Promise.all([finish(), finish()])
          : fault === 'answer lost'
            ? [await finish(), await finish()]
            : [await finish()]
      const wins = answers.filter(({ changed }) => changed).length
      // After a cancel the open ones were closed with the run.
      assert(wins === (isOpen ? 1 : 0), 'closed once if it was open', answers)
      count(isOpen ? `variant: ${how}` : 'variant: closed before')
      if (!isOpen || !model.generation) return
      model.generation.open.delete(ordinal)
      if (model.generation.open.size === 0) {
        count('fan-in: the last one')
        if (model.state === 'children') model.state = 'queued'
      }
    },
  )

async function pay(model: Model, real: Real, ordinal: number, cost: number): Promise<void> {
  const { root, refiner, driver, db, count } = real
  const { tenant, limits } = root
  const ledger = createVariantLedger(db, driver.ports.ledger)
  const callKey = `variant:${model.depth}:${ordinal}`
  const isFirst = !real.begun.has(callKey)
  real.begun.add(callKey)
  const call = { callKey, kind: 'variant', n: model.depth, part: String(ordinal) } as never
  const hold = await ledger.hold({
    ...refiner.holdOf(tenant, real.claim, limits, call),
    callKey,
    // What was booked counts for the first send; another one has to find room.
    estimate: { microUsd: 9_000, tokens: 10 },
  })
  if (hold.state !== 'granted') {
    // A second try, after a crash: what was answered is answered, and a lost answer still holds its money.
    assert(
      !isFirst && ['settled', 'refused'].includes(hold.state),
      'a booked hold is taken over',
      hold,
    )
    count(`call: ${hold.state === 'settled' ? 'answered before' : 'no room for another'}`)
    return
  }
  const run = { id: root.claim.runId, tenantId: tenant.tenantId } as never
  if (cost < 0) {
    count('call: unknown')
    await ledger.unknown({ run, callKey, seq: hold.seq }, 'lost')
    // It is tried again, and its money stays held.
    await pay(model, real, ordinal, 100)
    return
  }
  const isOver = isFirst && cost > 900
  count(isOver ? 'call: overrun' : 'call: settled')
  if (isOver) model.overrun = true
  await ledger.settle(
    { run, callKey, seq: hold.seq },
    settlement({ costMicroUsd: cost, tokens: 5 }),
  )
}

/** A pass leaves out what another root's pass has locked: whoever it is, somebody moves the run. */
async function untilMoved({ world, root }: Real, pass: () => Promise<unknown>): Promise<void> {
  for (let passes = 0; ; passes += 1) {
    await pass()
    if ((await world.stored(root.claim))?.state !== 'parked') return
    assert(passes < 1_000, 'nobody moves a run that is due', root.claim.runId)
  }
}

/** The time that variants, or a decision, are waited for is over. */
export const wake = () =>
  command(
    'wake',
    ({ state }) => state === 'children' || state === 'checkpoint',
    async (model, real) => {
      const { tenantId, runId } = real.root.claim
      await real.db.querySystem(
        'sweep',
        sql`update runs set wake_at = now() where tenant_id = ${tenantId} and id = ${runId}
          and state = 'parked'`,
      )
      await untilMoved(real, () => real.driver.operations.sweep.wake())
      real.count(`wake: from ${model.state}`)
      model.state = 'queued'
    },
  )

/** The run is admitted again, and a job of its old epoch may come late. */
export const admit = (late: boolean) =>
  command(
    `admit${late ? ', an old job comes late' : ''}`,
    ({ state }) => state === 'queued',
    async (model, real) => {
      const epoch = await real.world.admit(real.root.claim)
      assert(epoch !== undefined, 'a queued run is admitted')
      real.claim = { ...real.root.claim, epoch: epoch ?? 0 }
      real.count('admit')
      model.state = 'running'
      const before = real.root.claim.epoch
      assert(real.claim.epoch > before, 'the epoch has risen', [before, real.claim])
      if (!late) return
      assert((await resumeRoot(real.db, real.root.claim)) === undefined, 'an old epoch is stale')
      real.count('admit: an old epoch')
    },
  )

export const answer = (
  decision: 'approved' | 'denied',
  who: 'other' | 'own' | 'nobody',
  fault: Fault,
) =>
  command(
    `${decision} by ${who}, ${fault}`,
    ({ decision: now }) => now !== 'none',
    async (model, real) => {
      const { root, other, checkpointId, count } = real
      if (checkpointId === null) return
      const { tenantId, principalId } = root.tenant
      const approver = {
        principalId: who === 'own' ? principalId : other,
        mayApprove: who !== 'nobody',
      }
      const asked = { checkpointId: checkpointId as never, decision, reason: 'because' }
      const answers = await under(
        real,
        fault,
        (found) => found === 'done',
        (db) =>
          answerCheckpoint(db, tenantId, approver, asked).then(
            () => 'done',
            (error: unknown) => {
              if (!(error instanceof AlmanacError)) throw error
              return error.code
            },
          ),
      )
      if (!answers) return
      const isTaken =
        model.decision === 'waiting' && model.state === 'checkpoint' && who === 'other'
      assert((answers.first === 'done') === isTaken, 'taken if it waits and may be', [
        answers,
        model,
      ])
      if (answers.second !== undefined) assert(answers.second !== 'done', 'taken once', answers)
      count(isTaken ? `answer: ${decision}` : `answer: ${answers.first}`)
      if (!isTaken) return
      model.decision = decision
      model.state = 'queued'
    },
  )

export const expire = () =>
  command(
    'expire',
    ({ decision, state }) => decision === 'waiting' && state === 'checkpoint',
    async (model, real) => {
      const { db } = real
      const { tenantId, runId } = real.root.claim
      await db.querySystem(
        'refinement',
        sql`update checkpoints set expires_at = now() - interval '1 s' where tenant_id = ${tenantId}
          and run_id = ${runId} and decision is null`,
      )
      await untilMoved(real, () => Promise.all([expireCheckpoints(db), expireCheckpoints(db)]))
      real.count('expire')
      model.decision = 'expired'
      model.state = 'queued'
    },
  )

export const cancel = (fault: Fault) =>
  command(
    `cancel, ${fault}`,
    ({ state }) => state === 'children' || state === 'checkpoint' || state === 'queued',
    async (model, real) => {
      const { tenantId, principalId } = real.root.tenant
      const done = await under(
        real,
        fault,
        () => true,
        (db) =>
          db.withTenant(tenantId, (trx) =>
            cancelRun(trx, tenantId, principalId, real.root.claim.runId),
          ),
      )
      if (!done) return
      real.count(`cancel: from ${model.state}`)
      model.state = 'cancelled'
      model.generation?.open.clear()
      if (model.decision === 'waiting') model.decision = 'denied'
    },
  )

export const raise = (fault: Fault) =>
  command(
    `raise limits, ${fault}`,
    ({ state }) => state !== 'cancelled' && state !== 'ended',
    async (model, real) => {
      const { root, other } = real
      const [row] = await real.db.querySystem<{ limits: string }>(
        'refinement',
        sql`select limits from refinement_roots where tenant_id = ${root.claim.tenantId}
          and run_id = ${root.claim.runId}`,
      )
      const { maxDepth } = JSON.parse(row?.limits ?? '{}') as { maxDepth: number }
      const change = {
        runId: root.claim.runId,
        limits: { maxDepth: Math.min(10, maxDepth + 1) },
        reason: 'more',
      }
      const done = await under(
        real,
        fault,
        () => true,
        (db) =>
          raiseLimits(db, root.tenant.tenantId, { principalId: other, mayApprove: true }, change),
      )
      if (!done) return
      real.count(model.decision === 'waiting' ? 'raise: voids' : 'raise: limits')
      if (model.decision === 'waiting') {
        model.decision = 'none'
        if (model.state === 'checkpoint') model.state = 'queued'
      }
    },
  )

export const mergeGeneration = (how: 'accepted' | 'rejected' | 'none', fault: Fault) =>
  command(
    `merge ${how}, ${fault}`,
    ({ state, generation }) => state === 'running' && generation !== null,
    async (model, real) => {
      const { claim } = real
      const stored = await comeBack(model, real)
      const done = stored.generation?.variants.flatMap(({ version }) => version ?? []) ?? []
      const parents = done.map(({ id }) => id)
      const top = Math.max(0, ...done.map(({ score }) => score))
      const version = { ...real.draft(Math.min(1, top + 0.01)), parents }
      const result: MergeResult =
        how === 'accepted' && done.length > 0
          ? { merge: how, version }
          : { merge: how === 'accepted' ? 'none' : how }
      const answers = await under(
        real,
        fault,
        (found) => found === 'recorded',
        (db) => recordMerge(db, claim, model.depth, result),
      )
      if (!answers) return
      assert(answers.first === 'recorded', 'merged', answers)
      if (answers.second) assert(answers.second === 'duplicate', 'merged once', answers)
      real.count(`merge: ${result.merge}`)
      model.generation = null
    },
  )

export const stop = (fault: Fault) =>
  command(
    `stop, ${fault}`,
    ({ state, generation, depth, decision }) =>
      state === 'running' && generation === null && (depth > 1 || decision !== 'none'),
    async (model, real) => {
      await comeBack(model, real)
      await endNow(model, real, fault)
    },
  )

async function endNow(model: Model, real: Real, fault: Fault): Promise<void> {
  const answers = await under(
    real,
    fault,
    () => true,
    (db) => endRoot(db, real.claim, 'target' satisfies StopReason),
  )
  if (!answers) return
  assert(answers.first?.stopReason === 'target', 'ended', answers)
  real.count('end')
  model.state = 'ended'
}

/** Passes until the death was found and dealt with, by this root's passes or another's. */
async function untilFound(
  db: Database,
  { tenantId, runId, generation, ordinal }: VariantKey,
  pass: () => Promise<unknown>,
): Promise<{ state: string; crashes: number }> {
  for (let passes = 0; ; passes += 1) {
    await pass()
    const [row] = await db.querySystem<{ state: string; crashes: number; idle: boolean }>(
      'refinement',
      sql`select state, crashes, worker_id is null as idle from variants
        where tenant_id = ${tenantId} and run_id = ${runId} and generation = ${generation} and ordinal = ${ordinal}`,
    )
    if (row?.state === 'failed' || (row?.idle && row.crashes < 3)) return row
    assert(passes < 1_000, 'nobody finds a dead worker', row)
  }
}

/** A worker that has begun a variant dies; after the third its variant fails. */
export const workerDies = (ordinal: number) =>
  command(
    `the worker of variant ${ordinal} dies`,
    ({ state, generation }) => state === 'children' && generation?.open.has(ordinal) === true,
    async (model, real) => {
      const { db, refiner, dead, count } = real
      const key = variantKey(real, model, ordinal)
      const found = await refiner.variants.begin(key, dead)
      if (found === 'busy') {
        // A worker that is alive began it, and has not finished it yet.
        assert(real.begun.has(`variant:${key.generation}:${ordinal}`), 'nobody has it', found)
        count('worker: busy')
        return
      }
      assert(found === 'begun', 'a variant nobody has begins', found)
      await db.querySystem(
        'refinement',
        sql`update variants set progress_at = now() - interval '30 d'
          where tenant_id = ${key.tenantId} and run_id = ${key.runId} and generation = ${key.generation} and ordinal = ${ordinal}`,
      )
      const row = await untilFound(db, key, () => refiner.variants.stuck(3_600_000))
      count('worker: died')
      if (row.state !== 'failed') return
      assert(row.crashes === 3, 'three deaths fail it', row)
      count('worker: died three times')
      model.generation?.open.delete(ordinal)
      if (model.generation?.open.size === 0) model.state = 'queued'
    },
  )

/** Whatever can come next, chosen by `n`: so that a random history gets somewhere. */
export const next = (n: number, fault: Fault): RefinementCommand => ({
  check: ({ state }) => state !== 'cancelled' && state !== 'ended',
  run: (model, real) => pick(n, fault, model).run(model, real),
  toString: () => `next ${n}, ${fault}`,
})

const at = <T>(choices: readonly [T, ...T[]], n: number): T =>
  choices[n % choices.length] ?? choices[0]

function pick(n: number, fault: Fault, { state, generation }: Model): RefinementCommand {
  if (state === 'queued') return admit(n % 2 === 0)
  if (state === 'checkpoint')
    return n % 8 === 0
      ? expire()
      : answer(at(['approved', 'approved', 'approved', 'denied'], n), 'other', fault)
  if (state === 'children') {
    const [ordinal = 1] = generation?.open ?? []
    if (n % 3 === 0) return workerDies(ordinal)
    const cost = at([null, 100, 900, -1, 1_500], n)
    return closeVariant(
      ordinal,
      at(['done', 'done', 'failed'], n),
      0.4 + (n % 50) / 100,
      cost,
      fault,
    )
  }
  if (generation) return mergeGeneration(at(['accepted', 'rejected', 'none'], n), fault)
  return prepare(1 + (n % 3), at([900, 900, 4_000], n >> 2), fault)
}

/** Drives a root to its end as workers and loops would, from wherever it is: no run may hang. */
export async function drain(model: Model, real: Real): Promise<void> {
  for (let steps = 0; model.state !== 'ended' && model.state !== 'cancelled'; steps += 1) {
    assert(steps < 60, 'the run hangs', model)
    if (model.state === 'queued') await admit(false).run(model, real)
    else if (model.state === 'checkpoint') await expire().run(model, real)
    else if (model.state === 'children') {
      const [ordinal] = model.generation?.open ?? []
      await closeVariant(ordinal ?? 1, 'done', 0.4, null, 'none').run(model, real)
    } else if (model.generation) await mergeGeneration('rejected', 'none').run(model, real)
    else {
      const stored = await comeBack(model, real)
      const reason = shouldStop(stored.lineage, patient, stored.limits)
      // What is used up is asked for once more, in vain.
      if (!reason || reason === 'depth' || reason === 'children')
        await askFor(model, real, { stored, children: 1, microUsd: 500, fault: 'none' })
      if (model.state === 'running') await endNow(model, real, 'none')
      await compare(model, real)
    }
  }
}
