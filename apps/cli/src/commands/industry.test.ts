import { isAlmanacError } from '@almanac/domain'
import { checkIndustry, findIndustry, industries } from '@almanac/industries'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { installIndustries, parseCommentedJson } from '../system/installed-industries.ts'
import { recordingScreen } from '../testing/recording-screen.ts'
import { checkIndustryFile, newIndustry, tryIndustry } from './industry.ts'

const folder = mkdtempSync(join(tmpdir(), 'almanac-industry-'))
afterAll(() => {
  rmSync(folder, { recursive: true })
})
afterEach(() => {
  process.exitCode = undefined
})

const screenOf = () => {
  const screen = recordingScreen()
  return { screen, said: screen.said, results: screen.results }
}
let files = 0
const fileOf = (text: string): string => {
  const file = join(folder, `file-${(files += 1)}`)
  writeFileSync(file, text)
  return file
}
const newFile = (id = 'glass'): string => {
  const file = join(folder, `new-${(files += 1)}.jsonc`)
  newIndustry(screenOf().screen, file, { id })
  return file
}

describe('almanac industry new', () => {
  it('writes an industry that passes the check, with comments', () => {
    const text = readFileSync(newFile(), 'utf8')
    expect(text).toContain('// What the engine is told.')
    expect(checkIndustry(parseCommentedJson(text))).toMatchObject({
      ok: true,
      industry: { id: 'glass', version: '1.0.0' },
    })
  })

  it('leaves a file alone that exists', () => {
    const file = fileOf('mine')
    expect(() => {
      newIndustry(screenOf().screen, file, { id: 'glass' })
    }).toThrow('FILE: must not exist yet')
    expect(readFileSync(file, 'utf8')).toBe('mine')
  })
})

describe('almanac industry check', () => {
  it('says that a good one is good', () => {
    const { screen, said, results } = screenOf()
    checkIndustryFile(screen, newFile())
    expect(said[0]).toBe('glass 1.0.0 is an industry: 2 deliverables, 3 regions, 3 links.')
    expect(results).toEqual([{ ok: true, id: 'glass', version: '1.0.0', problems: [] }])
    expect(process.exitCode).toBeUndefined()
  })

  it('says all that is wrong, and ends with 1', () => {
    const text = readFileSync(newFile(), 'utf8')
      .replace('"within": "europe"', '"within": "asia"')
      .replace('["soda ash", "cullet", "silica sand"]', '["brewery"]')
    const { screen, said, results } = screenOf()
    checkIndustryFile(screen, fileOf(text))
    expect(said).toEqual([
      expect.stringContaining('2 problems'),
      '  regions.germany: is within asia, which this axis does not have',
      '  links.customers: has the term "brewery", and so has raw-materials',
    ])
    expect(results).toMatchObject([{ ok: false }])
    expect(process.exitCode).toBe(1)
  })

  it('takes comments out and nothing else', () => {
    expect(parseCommentedJson('{"a": "http://x/*y*/", /* b */ "c": "\\"//" // d\n}')).toEqual({
      a: 'http://x/*y*/',
      c: '"//',
    })
    const { screen, said } = screenOf()
    checkIndustryFile(screen, fileOf('{ "id": '))
    expect(said[1]).toMatch(/must be JSON, with or without comments/)
  })
})

describe('almanac industry try', () => {
  const item = (id: string, title: string, text = '') =>
    JSON.stringify({ id, publishedAt: '2026-11-16', title, text })
  const lines = [
    item('1', 'Furnace rebuilt in Germany', 'The brewery next door is pleased.'),
    item('2', 'Soda ash price rises'),
    item('3', 'Share price of a bottler falls'),
    '{"id": 4',
  ]
  const result = z.object({
    items: z.int(),
    deliverables: z.array(
      z.object({
        key: z.string(),
        items: z.array(
          z.object({
            itemId: z.string(),
            regions: z.array(z.string()),
            links: z.array(z.string()),
          }),
        ),
      }),
    ),
    unused: z.record(z.string(), z.array(z.string())),
    unmatched: z.array(z.object({ itemId: z.string(), missing: z.array(z.string()) })),
    refused: z.array(z.object({ line: z.int(), reason: z.string() })),
  })

  it('shows where items belong per deliverable, and which belong nowhere', () => {
    const { screen, said, results } = screenOf()
    tryIndustry(screen, newFile(), { evidence: fileOf(lines.join('\n')) })
    const { items, deliverables, unused, unmatched, refused } = result.parse(results[0])
    expect(items).toBe(3)
    expect(deliverables).toEqual([
      {
        key: 'capacity',
        items: [{ itemId: '1', regions: ['europe', 'germany'], links: ['customers'] }],
      },
      { key: 'prices', items: [{ itemId: '2', regions: ['world'], links: ['raw-materials'] }] },
    ])
    expect(unmatched).toEqual([{ itemId: '3', missing: ['deliverables'] }])
    expect(unused).toEqual({ deliverables: [], regions: [], links: ['production'] })
    expect(refused).toEqual([{ line: 4, reason: expect.stringContaining('one JSON object') }])
    expect(said).toContain('Capacity changes (capacity): 1')
    expect(said).toContain('  Share price of a bottler falls  (no deliverables)')
  })

  it('reads fields as a mapping names them, and refuses an industry that is none', () => {
    const { screen, results } = screenOf()
    const other = JSON.stringify({ nr: 7, day: '2026-11-16', headline: 'New line in Europe' })
    tryIndustry(screen, newFile(), {
      evidence: fileOf(other),
      mapping: fileOf('{"itemId": "nr", "publishedAt": "day", "title": "headline"}'),
    })
    expect(result.parse(results[0]).deliverables[0]?.items).toMatchObject([{ itemId: '7' }])
    expect(() => {
      tryIndustry(screen, fileOf('{}'), { evidence: fileOf('') })
    }).toThrow(/id: /)
  })
})

describe('ALMANAC_INDUSTRIES', () => {
  it('installs industries, and says of all files what is wrong with any', () => {
    installIndustries([newFile('glass-tests')])
    expect(findIndustry('glass-tests')?.title).toBe('Container glass')
    const before = industries.length
    installIndustries([newFile('glass-tests')])
    expect(industries.length).toBe(before)

    const changed = readFileSync(newFile('glass-tests'), 'utf8').replace('Container', 'Flat')
    const missing = join(folder, 'nowhere')
    try {
      installIndustries([fileOf(changed), missing, fileOf('{}')])
      expect.unreachable()
    } catch (error) {
      if (!isAlmanacError(error, 'CONFIG_INVALID')) throw error
      const messages = error.params.issues.map(({ message }) => message)
      expect(messages[0]).toContain('a change needs a new version')
      expect(messages[1]).toContain('does not exist')
      expect(messages.length).toBeGreaterThan(3)
    }
  })
})
