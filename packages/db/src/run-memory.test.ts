import { stageNames } from '@almanac/domain'
import { describe, expect, it } from 'vitest'
import { queueRun, testDatabase, testTenant } from '../../../test/support/postgres.ts'
import { rememberRuns, rememberSpecifications } from './run-memory.ts'
import { conclusionCommit, createDriver, moveCommit, stepCommit } from './testing/drive-run.ts'

const { db, superuser } = await testDatabase()
const driver = createDriver(db)
const { ports, workerId } = driver

/** Ports with a memory that count how often the database was asked. */
async function remembered(options?: Parameters<typeof rememberRuns>[1]) {
  const tenant = await testTenant(db)
  const id = await queueRun(db, tenant, { test: true })
  await driver.admit(tenant.tenantId)
  const seen = { reads: 0 }
  const counted: typeof ports.load = (...which) => {
    seen.reads += 1
    return ports.load(...which)
  }
  const memory = rememberRuns({ load: counted, commitStage: ports.commitStage }, options)
  const load = async () => {
    const run = await memory.load(tenant.tenantId, id)
    if (!run) throw new Error('no run')
    return run
  }
  return { memory, seen, load, id, tenantId: tenant.tenantId }
}

describe('a remembered run', () => {
  it('is what the database would answer, for every stage, after one read', async () => {
    const { memory, seen, load, id, tenantId } = await remembered()
    for (const stage of stageNames.slice(0, 8)) {
      const run = await load()
      expect(run.nextStage).toBe(stage)
      expect(run).toEqual(await ports.load(tenantId, id))
      expect(await memory.commitStage(stepCommit(run, workerId))).toBe('committed')
    }
    expect(seen.reads).toBe(1)
  })

  it('is read again for another job of the same stage', async () => {
    const { memory, seen, load } = await remembered()
    await memory.commitStage(stepCommit(await load(), workerId))
    await load()
    await load()
    expect(seen.reads).toBe(2)
  })

  it('is forgotten when a commit did not count, or did not lead on', async () => {
    const { memory, seen, load, id } = await remembered()
    const run = await load()
    expect(await memory.commitStage({ ...stepCommit(run, workerId), epoch: 9 })).toBe('stale')
    await load()
    expect(seen.reads).toBe(2)
    const again = moveCommit(run, workerId, { to: 'again', delayMs: 1, code: 'STAGE_FAILED' })
    const data = { stage: run.nextStage, try: 1, code: 'STAGE_FAILED', retryAt: '' }
    expect(
      await memory.commitStage({ ...again, events: [{ type: 'run.stage_failed', data }] }),
    ).toBe('committed')
    expect((await load()).tries).toBe(1)
    expect(seen.reads).toBe(3)
    expect(id).toBeTruthy()
  })

  it('is forgotten after a moment', async () => {
    const { memory, seen, load, id } = await remembered({ maxAgeMs: 0 })
    await memory.commitStage(stepCommit(await load(), workerId))
    await superuser(`update runs set state = 'cancelling' where id = $1`, [id])
    expect((await load()).state).toBe('cancelling')
    expect(seen.reads).toBe(2)
  })

  it('that was cancelled meanwhile is worked on in vain: its commit is stale', async () => {
    const { memory, load, id } = await remembered()
    await memory.commitStage(stepCommit(await load(), workerId))
    await superuser(`update runs set state = 'cancelling' where id = $1`, [id])
    const run = await load()
    expect(run.state).toBe('running')
    expect(await memory.commitStage(stepCommit(run, workerId))).toBe('stale')
    expect((await load()).state).toBe('cancelling')
  })

  it('is known to have succeeded by what runs after its end', async () => {
    const { memory, seen, load, id, tenantId } = await remembered()
    for (;;) {
      const run = await load()
      if (run.nextStage === 'persist') break
      await memory.commitStage(stepCommit(run, workerId))
    }
    const commit = await conclusionCommit(ports, await load(), workerId)
    expect(await memory.commitStage(commit)).toBe('committed')
    const reads = seen.reads
    const { state, outputs } = await load()
    expect(seen.reads).toBe(reads)
    const stored = await ports.load(tenantId, id)
    expect({ state, outputs }).toEqual({ state: stored?.state, outputs: stored?.outputs })
  })

  it('is one of a bounded number', async () => {
    const { memory, seen, load } = await remembered({ maxRuns: 1 })
    await memory.commitStage(stepCommit(await load(), workerId))
    const other = await testTenant(db)
    const id = await queueRun(db, other, { test: true })
    await driver.admit(other.tenantId)
    await memory.load(other.tenantId, id)
    await load()
    expect(seen.reads).toBe(3)
  })
})

describe('a remembered specification', () => {
  it('is read once for a run, and again after a moment', async () => {
    const tenant = await testTenant(db)
    const id = await queueRun(db, tenant, { test: true })
    const run = await ports.load(tenant.tenantId, id)
    if (!run) throw new Error('no run')
    let reads = 0
    const counted: typeof ports.specifications.bound = (facts) => {
      reads += 1
      return ports.specifications.bound(facts)
    }
    const remembering = rememberSpecifications({ bound: counted })
    const first = await remembering.bound(run.facts)
    expect(await remembering.bound(run.facts)).toBe(first)
    expect(first).toEqual(await ports.specifications.bound(run.facts))
    expect(reads).toBe(1)
    const forgetting = rememberSpecifications({ bound: counted }, { maxAgeMs: 0 })
    await forgetting.bound(run.facts)
    await forgetting.bound(run.facts)
    expect(reads).toBe(3)
  })
})
