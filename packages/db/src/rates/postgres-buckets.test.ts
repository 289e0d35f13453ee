import { describe, expect, it, vi } from 'vitest'
import { rateConformance } from '../../../pipeline/src/testing/rate-conformance.ts'
import { testDatabase } from '../../../../test/support/postgres.ts'
import { createPostgresBuckets } from './postgres-buckets.ts'

const { db, superuser } = await testDatabase()
const forget = async () => void (await superuser('delete from rate_buckets'))

describe('the rate buckets in Postgres', () => {
  for (const [name, check] of Object.entries(rateConformance))
    it(name, { timeout: 300_000 }, async () => {
      await forget()
      const clock = { at: Date.parse('2026-11-21T12:00:00Z') }
      const buckets = createPostgresBuckets(db, { clock: { now: () => new Date(clock.at) } })
      await check({ buckets, clock, forget })
    })

  it('go by the server’s clock when they have none', async () => {
    await forget()
    const buckets = createPostgresBuckets(db)
    const limits = [{ key: 'tenant:a', requests: 1_000, tokens: null }]
    expect((await buckets.take({ tokens: 1, limits })).granted).toBe(false)
    const taken = await vi.waitFor(async () => {
      const answer = await buckets.take({ tokens: 1, limits })
      expect(answer.granted).toBe(true)
      return answer
    })
    expect(taken.granted && Math.abs(taken.takenAt - Date.now()) < 60_000).toBe(true)
  })
})
