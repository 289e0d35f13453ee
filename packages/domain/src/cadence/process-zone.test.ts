import { execFileSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { parse } from '../parse.ts'

const library = new URL('./index.ts', import.meta.url).href

const script = `
  const cadence = await import(${JSON.stringify(library)})
  const lines = []
  for (const timeZone of ['UTC', 'America/New_York', 'Pacific/Apia', 'Asia/Kathmandu'])
    for (const kind of ['daily', 'weekly', 'monthly'])
      for (const coverage of ['closed', 'rolling'])
        for (const instant of ['2011-12-30T10:00:00Z', '2026-03-08T06:59:59Z', '2027-01-01T00:30:00Z']) {
          const request = { cadence: kind, coverage, timeZone, instant }
          const periodKey = cadence.targetPeriod(request)
          const schedule = { ...request, offsetMinutes: 90, spreadMinutes: 60, seed: 'Ünïcode' }
          lines.push([
            cadence.windowOf({ ...request, periodKey, lookBackDays: 7, createdAt: instant }),
            cadence.nextEligibleInstant({ ...request, periodKey }),
            cadence.nextDue({ ...schedule, after: instant, lastPeriodKey: periodKey }),
          ])
        }
  let refusal = ''
  try { cadence.parsePeriodKey('daily', '2026-02-30') } catch (error) { refusal = error.message }
  console.log(JSON.stringify({ offset: new Date(0).getTimezoneOffset(), lines, refusal }))
`

const answer = z.object({ offset: z.number(), lines: z.array(z.unknown()), refusal: z.string() })

const answerIn = (TZ: string, locale: string): { offset: number; rest: string } => {
  const env = { PATH: process.env['PATH'], TZ, LANG: locale, LC_ALL: locale }
  const args = ['--input-type=module', '--eval', script]
  const text = execFileSync(process.execPath, args, { env, encoding: 'utf8' })
  const { offset, ...rest } = parse(answer, JSON.parse(text))
  return { offset, rest: JSON.stringify(rest) }
}

test('the zone and language of the process change nothing', () => {
  const samoa = answerIn('Pacific/Apia', 'de_DE.UTF-8')
  const tehran = answerIn('Asia/Tehran', 'fa_IR.UTF-8')
  expect([samoa.offset, tehran.offset]).toEqual([660, -210])
  expect(samoa.rest).toBe(tehran.rest)
  expect(samoa.rest).toContain('2011-12-29T10:00:00Z')
})
