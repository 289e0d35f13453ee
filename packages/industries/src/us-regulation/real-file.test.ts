import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { createMatcher, type Matchable } from '../match.ts'
import { usRegulation } from './index.ts'

const file = fileURLToPath(
  new URL('../../../../../shared/data/us-federal-rules-2022.ndjson', import.meta.url),
)
const present = existsSync(file)
const name = `the rules of 2022${present ? '' : ` (skipped: ${file} is missing)`}`

const line = z
  .object({
    title: z.string(),
    documentType: z.string(),
    agency: z.string(),
    commentEndDate: z.nullable(z.string()),
    withdrawn: z.boolean(),
  })
  .transform(({ title, documentType, agency, commentEndDate, withdrawn }): Matchable => ({
    title,
    text: '',
    attributes: { documentType, agency, ...(commentEndDate !== null && { commentEndDate }) },
    withdrawn,
  }))

describe.skipIf(!present)(name, () => {
  const items = present
    ? readFileSync(file, 'utf8')
        .trimEnd()
        .split('\n')
        .map((text) => line.parse(JSON.parse(text)))
    : []
  const { matches } = createMatcher(usRegulation)
  const matched = items.map((item) => ({ item, keys: matches(item) }))
  const kept = matched.filter(({ item }) => !item.withdrawn)
  const share = (count: number) =>
    `${count} of ${items.length} (${((100 * count) / items.length).toFixed(1)} %)`

  it('are final or proposed, never both, unless they were taken back', () => {
    expect(items).toHaveLength(5_982)
    for (const { item, keys } of kept) {
      const expected = item.attributes['documentType'] === 'Rule' ? 'final-rules' : 'proposed-rules'
      const rules = keys.deliverables.filter((key) => key.endsWith('-rules'))
      expect(rules, item.title).toEqual([expected])
    }
  })

  it('have a comment deadline where the file has one', () => {
    for (const { item, keys } of kept)
      expect(keys.deliverables.includes('comment-deadlines')).toBe(
        'commentEndDate' in item.attributes,
      )
  })

  it('are only withdrawals when they were taken back', () => {
    const taken = matched.filter(({ item }) => item.withdrawn)
    expect(taken).toHaveLength(20)
    for (const { keys } of taken) expect(keys.deliverables).toEqual(['corrections-and-withdrawals'])
  })

  it('have a region and a sector each', () => {
    for (const { item, keys } of matched) {
      expect(keys.regions.length, item.title).toBeGreaterThan(0)
      expect(keys.links.length, item.title).toBeGreaterThan(0)
    }
    for (const region of usRegulation.regions)
      expect(
        matched.some(({ keys }) => keys.regions.includes(region.key)),
        region.key,
      ).toBe(true)
    for (const link of usRegulation.links)
      expect(
        matched.some(({ keys }) => keys.links.includes(link.key)),
        link.key,
      ).toBe(true)
  })

  it('rarely fall to no sector', async ({ annotate }) => {
    const other = matched.filter(({ keys }) => keys.links.includes('other')).length
    const national = matched.filter(({ keys }) => keys.regions.includes('national')).length
    await annotate(`other: ${share(other)}; national: ${share(national)}`)
    expect(other / items.length).toBeLessThan(0.05)
    expect(national / items.length).toBeLessThan(0.8)
  })

  it('name a state whenever a postal code ends their title', () => {
    const codes = new Map(
      usRegulation.regions.flatMap(({ key, lexicon }) =>
        (lexicon.codes ?? []).map((code) => [code, key]),
      ),
    )
    const ending = matched.flatMap(({ item, keys }) => {
      const key = codes.get(/, ([A-Z]{2})$/.exec(item.title)?.[1] ?? '')
      return key === undefined ? [] : [{ key, keys, title: item.title }]
    })
    expect(ending.length).toBeGreaterThan(800)
    for (const { key, keys, title } of ending) expect(keys.regions, title).toContain(key)
  })
})
