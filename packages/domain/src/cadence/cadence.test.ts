import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { parse } from '../parse.ts'
import { cadence, cadences, coverage, isFasterThan, isPeriodic, timeZone } from './cadence.ts'

const folder = new URL('./', import.meta.url)
const source = (file: string): string => readFileSync(new URL(file, folder), 'utf8')

describe('time zones', () => {
  test.each(['UTC', 'America/New_York', 'Asia/Calcutta', 'Europe/Kyiv', 'Etc/GMT+5', 'EST5EDT'])(
    '%s is taken as it is spelled',
    (zone) => expect(parse(timeZone, zone)).toBe(zone),
  )

  test('every zone that the engine lists is taken', () => {
    const refused = (zone: string) => !timeZone.safeParse(zone).success
    expect(Intl.supportedValuesOf('timeZone').filter(refused)).toEqual([])
  })

  test.each(['+02:00', '-0500', 'UTC+2', 'Mars/Olympus', '../etc', '', ' UTC', 'PST', 'ist', 7])(
    '%j is refused',
    (zone) => expect(timeZone.safeParse(zone).success).toBe(false),
  )

  test('the error says what was found and what is allowed', () => {
    expect(() => parse(timeZone, '+02:00', 'timeZone')).toThrow(
      'timeZone: must be an IANA time zone such as America/New_York, or UTC; ' +
        'an offset such as +02:00 is none (found "+02:00")',
    )
  })
})

test('an unknown cadence or coverage is refused with those that exist', () => {
  expect(() => parse(cadence, 'hourly', 'cadence')).toThrow(
    'cadence: must be daily, weekly, monthly or on_demand (found "hourly")',
  )
  expect(() => parse(cadence.exclude(['on_demand']), 'on_demand', 'fastestCadence')).toThrow(
    'fastestCadence: must be daily, weekly or monthly (found "on_demand")',
  )
  expect(() => parse(coverage, 'open', 'coverage')).toThrow(
    'coverage: must be closed or rolling (found "open")',
  )
})

test('daily is faster than weekly, weekly than monthly, and on_demand than nothing', () => {
  const faster = cadences.map((a) => cadences.filter((b) => isFasterThan(a, b)))
  expect(faster).toEqual([
    ['weekly', 'monthly', 'on_demand'],
    ['monthly', 'on_demand'],
    ['on_demand'],
    [],
  ])
  expect(cadences.filter(isPeriodic)).toEqual(['daily', 'weekly', 'monthly'])
})

test('browsers can load the vocabulary: it imports zod and nothing else', () => {
  expect(source('cadence.ts').match(/(?<=from ')[^']+/g)).toEqual(['zod'])
})

test('nothing here looks at a clock, at chance or at the process', () => {
  const files = readdirSync(folder).filter((file) => !file.endsWith('.test.ts'))
  expect(files).toContain('period.ts')
  for (const file of files)
    expect(source(file), file).not.toMatch(
      /Temporal\.Now|Date\.now|new Date\(\)|Math\.random|process\.|node:|timeZoneId\(\)/,
    )
})
