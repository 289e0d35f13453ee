import { AlmanacError } from '@almanac/domain'
import { describe, expect, it } from 'vitest'
import { aJob } from './conformance.ts'
import { earlierIds, jobId, payload, readJob } from './job-identity.ts'

const raw = (job = aJob(), stalledCounter = 0) => ({
  id: jobId(job),
  data: JSON.parse(JSON.stringify(payload(job))) as unknown,
  stalledCounter,
})

describe('a job', () => {
  it('has an id that BullMQ takes: no colon, not only digits', () => {
    expect(jobId(aJob({ n: 3 }))).toMatch(/^run_[0-9a-z]{26}\.execute\.7\.3$/)
  })

  it('comes out as it went in', () => {
    const job = aJob({ n: 3, epoch: 12 })
    expect(readJob('execute', raw(job))).toEqual({ ...job, redelivered: false })
    expect(readJob('execute', raw(job, 2)).redelivered).toBe(true)
  })

  it('is refused when it carries anything but ids', () => {
    const { data, ...rest } = raw()
    const wrong = [
      {},
      { ...(data as object), text: 'x' },
      { ...(data as object), tenantId: '../x' },
    ]
    for (const changed of wrong)
      expect(() => readJob('execute', { ...rest, data: changed })).toThrow(AlmanacError)
  })

  it('knows its earlier forms, the newest first', () => {
    const job = aJob({ n: 3 })
    expect(earlierIds(job, 12)).toEqual([2, 1, 0].map((n) => jobId({ ...job, n })))
    expect(earlierIds(job, 2)).toHaveLength(2)
    expect(earlierIds(aJob(), 12)).toEqual([])
  })
})
