import { existsSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { parse } from '../parse.ts'
import { periodOf } from './period.ts'
import { windowOf } from './window.ts'

const file = new URL('../../../../../shared/data/us-federal-rules-2022.ndjson', import.meta.url)
const rule = z.object({ publishedAt: z.iso.datetime() })

test('a week of real rules is counted by the zone’s midnights', ({ skip }) => {
  if (!existsSync(file)) skip('../shared/data/us-federal-rules-2022.ndjson is not there')
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n')
  const instants = lines.map((line) => parse(rule, JSON.parse(line)).publishedAt)
  expect(instants).toHaveLength(5_982)

  const countIn = (timeZone: string): number => {
    const { from, to } = windowOf({
      cadence: 'weekly',
      coverage: 'closed',
      periodKey: '2022-W10',
      timeZone,
      lookBackDays: 7,
      createdAt: '2026-11-21T10:00:00Z',
    })
    const inside = instants.filter(
      (at) => Date.parse(from) <= Date.parse(at) && Date.parse(at) < Date.parse(to),
    )
    for (const at of inside) expect(periodOf('weekly', at, timeZone)).toBe('2022-W10')
    return inside.length
  }
  expect(countIn('America/New_York')).toBe(104)
  expect(countIn('America/Los_Angeles')).toBe(103)
})
