import type { TenantId } from '@almanac/domain'
import { newId } from '@almanac/domain/ids'
import type { DueDelivery, StageJob, SweepStore, VariantJob, Waiting } from '@almanac/pipeline'
import { describe, expect, it, vi } from 'vitest'
import { memoryDatabase } from '../testing/memory-operations.ts'
import { quietLog } from '../testing/quiet-log.ts'
import { admit } from './admit.ts'
import { chain } from './chain.ts'
import { deliver } from './deliver.ts'
import { sweep } from './sweep.ts'
import { tick } from './tick.ts'

const signal = new AbortController().signal

const aJob = (given: Partial<StageJob> = {}): StageJob => ({
  tenantId: newId('tenant'),
  runId: newId('run'),
  stage: 'execute',
  epoch: 1,
  n: 0,
  ...given,
})

/** A queue that keeps what it was given. */
function queue(held: (job: StageJob) => boolean = () => false) {
  const added: StageJob[] = []
  return {
    added,
    add: (jobs: readonly StageJob[]) => Promise.resolve(void added.push(...jobs)),
    missing: (jobs: readonly StageJob[]) => Promise.resolve(jobs.filter((job) => !held(job))),
  }
}

describe('admit', () => {
  const waiting = (queued: number, inFlight = 0, cap = 100): Waiting => ({
    tenantId: newId('tenant'),
    queued,
    inFlight,
    cap,
  })
  const admitted = async (tenants: Waiting[], inFlight: number, stopped?: Waiting) => {
    const mayCall = (ids: readonly TenantId[]) =>
      Promise.resolve(new Set(ids.filter((id) => id !== stopped?.tenantId)))
    const asked: number[] = []
    const backend = queue()
    const jobs = [aJob()]
    const admission = {
      backlog: () => Promise.resolve({ tenants, inFlight }),
      admit: (counts: ReadonlyMap<string, number>) => {
        asked.push(...counts.values())
        return Promise.resolve(jobs)
      },
    }
    await admit({ admission, backend, capacity: () => 5, mayCall }).pass(signal)
    return { counts: asked.toSorted(), enqueued: backend.added.length }
  }

  it('fills up to twice the capacity, fairly', async () => {
    expect(await admitted([waiting(50), waiting(50)], 4)).toEqual({ counts: [3, 3], enqueued: 1 })
  })
  it('leaves out a tenant whose runs could make no call', async () => {
    const [stopped, other] = [waiting(50), waiting(50)]
    expect(await admitted([stopped, other], 4, stopped)).toEqual({ counts: [6], enqueued: 1 })
  })
  it('asks for nothing when it is full or nobody waits', async () => {
    expect(await admitted([waiting(50)], 10)).toEqual({ counts: [], enqueued: 0 })
    expect(await admitted([waiting(50)], 99)).toEqual({ counts: [], enqueued: 0 })
    expect(await admitted([], 0)).toEqual({ counts: [], enqueued: 0 })
  })
  it('keeps to a tenant’s cap', async () => {
    expect(await admitted([waiting(50, 1, 3)], 1)).toEqual({ counts: [2], enqueued: 1 })
  })
})

describe('sweep', () => {
  function store(given: Partial<SweepStore> = {}): SweepStore & { done: string[] } {
    const done: string[] = []
    const duty = <T>(name: string, answer: T) =>
      vi.fn(() => Promise.resolve(done.push(name)).then(() => answer))
    return {
      done,
      takeOver: duty('takeOver', []),
      stuck: duty('stuck', []),
      wake: duty('wake', 0),
      wakeStopped: duty('wakeStopped', 0),
      finishCancelled: duty('finishCancelled', 0),
      expireQueued: duty('expireQueued', 0),
      remindCheckpoints: duty('remindCheckpoints', 0),
      expireCheckpoints: duty('expireCheckpoints', 0),
      tellBudgets: duty('tellBudgets', 0),
      chargeUnknown: duty('chargeUnknown', 0),
      ensurePartitions: duty('ensurePartitions', undefined),
      ...given,
    }
  }
  const { controls } = memoryDatabase().operations
  const ports = (sweepStore: SweepStore, backend = queue()) => ({
    sweep: sweepStore,
    variants: {
      stuck: vi.fn(() => Promise.resolve<VariantJob[]>([])),
      keepWaiting: vi.fn(() => Promise.resolve(0)),
      releaseBooked: () => Promise.resolve(0),
    },
    controls,
    backend,
    log: quietLog(),
    wakeAdmit: vi.fn(),
  })

  it('enqueues what it takes over, and of the stuck what is not in the queue', async () => {
    const [taken, waits, lost] = [aJob(), aJob({ n: 1 }), aJob({ n: 2 })]
    const backend = queue((job) => job === waits)
    const swept = store({
      takeOver: () => Promise.resolve([taken]),
      stuck: () => Promise.resolve([waits, lost]),
    })
    await sweep(ports(swept, backend)).pass(signal)
    expect(backend.added).toEqual([taken, lost])
  })

  it('leaves the runs of paused stages alone', async () => {
    const paused = memoryDatabase()
    paused.controls.push({ stage: 'execute', paused: true, concurrency: null })
    paused.controls.push({ stage: 'refine', paused: false, concurrency: 1 })
    const swept = store()
    await sweep({ ...ports(swept), controls: paused.operations.controls }).pass(signal)
    expect(swept.stuck).toHaveBeenCalledWith(5_000, ['execute'])
  })

  it('adds no variants anew while they are paused, and lets their runs wait on', async () => {
    const lost = { ...aJob(), generation: 1, ordinal: 2 }
    for (const [stage, paused, readds] of [
      ['refine', true, 0],
      ['variant', true, 0],
      ['execute', true, 1],
      ['refine', false, 1],
    ] as const) {
      const obeyed = memoryDatabase()
      obeyed.controls.push({ stage, paused, concurrency: null })
      const given = { ...ports(store()), controls: obeyed.operations.controls }
      given.variants.stuck.mockResolvedValue([lost])
      await sweep(given).pass(signal)
      expect(given.backend.added, stage).toHaveLength(readds)
      expect(given.variants.keepWaiting, stage).toHaveBeenCalledTimes(1 - readds)
    }
  })

  it('wakes admission when there is room or something to admit', async () => {
    const quiet = ports(store())
    await sweep(quiet).pass(signal)
    expect(quiet.wakeAdmit).not.toHaveBeenCalled()
    const woken = ports(store({ wake: () => Promise.resolve(2) }))
    await sweep(woken).pass(signal)
    expect(woken.wakeAdmit).toHaveBeenCalledOnce()
  })

  it('does its other duties when one fails, and says which', async () => {
    const swept = store({ takeOver: () => Promise.reject(new Error('as planned')) })
    const given = ports(swept)
    await sweep(given).pass(signal)
    expect(swept.done).toEqual([
      ...[
        'stuck',
        'wake',
        'wakeStopped',
        'finishCancelled',
        'expireQueued',
        'remindCheckpoints',
        'expireCheckpoints',
        'tellBudgets',
        'chargeUnknown',
        'ensurePartitions',
      ],
    ])
    expect(given.log.lines).toMatchObject([{ level: 'warn', fields: { duty: 'takeOver' } }])
  })

  it('fails when all of them fail', async () => {
    const fail = () => Promise.reject(new Error('no database'))
    const swept = store({
      takeOver: fail,
      stuck: fail,
      wake: fail,
      wakeStopped: fail,
      finishCancelled: fail,
      expireQueued: fail,
      remindCheckpoints: fail,
      expireCheckpoints: fail,
      tellBudgets: fail,
      chargeUnknown: fail,
      ensurePartitions: fail,
    })
    const variants = { stuck: fail, keepWaiting: fail, releaseBooked: fail }
    await expect(sweep({ ...ports(swept), variants }).pass(signal)).rejects.toThrow('no database')
  })

  it('makes partitions at its start and once an hour', async () => {
    const swept = store()
    let now = 0
    const work = sweep({ ...ports(swept), monotonic: () => now })
    for (now of [0, 2_000, 3_599_000, 3_600_000, 3_602_000]) await work.pass(signal)
    expect(swept.ensurePartitions).toHaveBeenCalledTimes(2)
  })
})

describe('tick', () => {
  const now = new Date('2026-11-21T00:00:00Z')
  const start = (schedules: Parameters<typeof tick>[0]['schedules']) => {
    const given = { schedules, clock: { now: () => now }, log: quietLog(), wakeAdmit: vi.fn() }
    return { ...given, pass: () => tick(given).pass(signal) }
  }

  it('goes on at once while batches are full, and wakes admission for new runs', async () => {
    const { pass, wakeAdmit } = start({
      takeDue: (_now, limit) => Promise.resolve({ specifications: limit, runs: 3 }),
      retryFree: () => Promise.resolve({ retried: 0, missed: 0 }),
    })
    expect(await pass()).toBe(true)
    expect(wakeAdmit).toHaveBeenCalledOnce()
  })

  it('rests when little was due', async () => {
    const { pass, wakeAdmit } = start({
      takeDue: () => Promise.resolve({ specifications: 1, runs: 0 }),
      retryFree: () => Promise.resolve({ retried: 0, missed: 1 }),
    })
    expect(await pass()).toBe(false)
    expect(wakeAdmit).not.toHaveBeenCalled()
  })

  it('puts a specification that it cannot plan aside for an hour', async () => {
    const planned: unknown[] = []
    const { pass, log } = start({
      takeDue: (_now, _limit, plan) => {
        planned.push(plan({ specificationId: newId('specification') } as never))
        return Promise.resolve({ specifications: 1, runs: 0 })
      },
      retryFree: () => Promise.resolve({ retried: 0, missed: 0 }),
    })
    await pass()
    expect(planned).toEqual([{ periods: [], nextDueAt: '2026-11-21T01:00:00.000Z' }])
    expect(log.lines).toMatchObject([{ level: 'error' }])
  })
})

describe('deliver', () => {
  const due = (given: Partial<DueDelivery> = {}): DueDelivery => ({
    id: newId('delivery'),
    tenantId: newId('tenant'),
    runId: newId('run'),
    specificationId: newId('specification'),
    periodKey: null,
    deliverer: 'file',
    attempts: 1,
    artifacts: [],
    ...given,
  })
  const run = async (deliveries: DueDelivery[], failing = false, stopped = signal) => {
    const ended: unknown[] = []
    const more = await deliver({
      deliveries: {
        claimDue: (_workerId, limit) => Promise.resolve(deliveries.slice(0, limit)),
        succeeded: ({ id }, detail) => Promise.resolve(void ended.push([id, detail])),
        failed: ({ id }, error, next) => Promise.resolve(void ended.push([id, error, next])),
      },
      deliverers: {
        file: {
          deliver: () =>
            failing ? Promise.reject(new Error('the disk is full')) : Promise.resolve({ ok: true }),
        },
      },
      workerId: newId('worker'),
      log: quietLog(),
      clock: { now: () => new Date('2026-11-21T00:00:00Z') },
    }).pass(stopped)
    return { ended, more }
  }

  it('records what was delivered, and goes on while there is more', async () => {
    const deliveries = Array.from({ length: 25 }, () => due())
    const { ended, more } = await run(deliveries)
    expect(ended).toEqual(deliveries.slice(0, 20).map(({ id }) => [id, { ok: true }]))
    expect(more).toBe(true)
    expect((await run([due()])).more).toBe(false)
  })

  it('tries a failed one again later, and gives up after the last attempt', async () => {
    const [first, last] = [due(), due({ attempts: 11 })]
    const { ended } = await run([first, last], true)
    expect(ended).toEqual([
      [first.id, 'the disk is full', new Date('2026-11-21T00:00:05Z')],
      [last.id, 'the disk is full', null],
    ])
  })

  it('leaves an interrupted one to whoever leads next', async () => {
    const one = due({ attempts: 11 })
    const { ended } = await run([one], true, AbortSignal.abort())
    expect(ended).toEqual([[one.id, 'the disk is full', new Date('2026-11-21T00:00:00Z')]])
  })

  it.each(['nobody', 'constructor', '__proto__'])('knows no deliverer %s', async (deliverer) => {
    const { ended } = await run([due({ deliverer })])
    expect(ended).toMatchObject([[expect.any(String), `no deliverer is called ${deliverer}`, {}]])
  })
})

describe('chain', () => {
  it('goes on at once while there is more to link', async () => {
    const link = (linked: number) => chain({ chain: { link: () => Promise.resolve(linked) } })
    expect(await link(1_000).pass(signal)).toBe(true)
    expect(await link(999).pass(signal)).toBe(false)
  })
})
