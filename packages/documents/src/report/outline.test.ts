import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fixturePackage } from '../fixtures/package.ts'
import { contentOf, fixtureDraft, fixtureReport } from '../fixtures/report.ts'
import { composeReportOutline, reportOutline } from './outline.ts'
import { itemKinds, type ReportDraft } from './schema.ts'

const text = fc.oneof(fc.constantFrom('one', 'two', 'three'), fc.string({ maxLength: 6 }))
const statement = text.map((words) => `x${words}`)
const evidence = fc.array(fc.constantFrom('e/1', 'e/2', '__proto__'), { maxLength: 3 })
const key = fc.constantFrom('summary', 'metadata', 'rules', 'notices', 'rules~2')
const anyDraft: fc.Arbitrary<ReportDraft> = fc.record({
  summary: fc.array(fc.record({ text: statement, evidence }), { maxLength: 4 }),
  sections: fc.array(
    fc.record({
      deliverable: key,
      quiet: fc.boolean(),
      items: fc.array(
        fc.record({
          kind: fc.constantFrom(...itemKinds),
          region: key,
          link: key,
          text: statement,
          evidence,
        }),
        { maxLength: 4 },
      ),
    }),
    { maxLength: 4 },
  ),
})

describe('the outline of a report', () => {
  it('is read back as the report, whatever is said or named twice', () => {
    fc.assert(
      fc.property(anyDraft, (draft) => {
        const content = contentOf(draft)
        const outline = reportOutline(content)
        expect(composeReportOutline(outline)).toEqual(content)
        expect(new Set(outline.map(({ id }) => id)).size).toBe(outline.length)
      }),
    )
  })

  it('names the place of every element by its pointer', () => {
    const content = fixtureReport(fixturePackage())
    for (const { path, level, value } of reportOutline(content)) {
      const at = path
        .split('/')
        .slice(1)
        .reduce<unknown>((inner, key) => Reflect.get(Object(inner), key), content)
      if (level === 'item') expect(at).toMatchObject(value)
      else expect(at).toBeDefined()
    }
  })

  it('keeps a topic when an item is reworded, and another when it is put in another cell', () => {
    const draft = fixtureDraft(fixturePackage())
    const topicsOf = (changes: object) => {
      const sections = draft.sections.map((section, s) => ({
        ...section,
        items: section.items.map((item, i) => (s + i === 0 ? { ...item, ...changes } : item)),
      }))
      const outline = reportOutline(contentOf({ ...draft, sections }))
      return outline.find(({ path }) => path === '/sections/0/items/0')?.topics ?? []
    }
    const [byCell, byText] = topicsOf({})
    expect(topicsOf({ text: 'In other words.' })[0]).toBe(byCell)
    expect(topicsOf({ region: 'elsewhere', evidence: [] })[1]).toBe(byText)
  })

  it('refuses elements of something else', () => {
    const outline = reportOutline(fixtureReport(fixturePackage()))
    const wrong = outline.map((one) => (one.level === 'item' ? { ...one, value: {} } : one))
    expect(() => composeReportOutline(wrong)).toThrow()
    expect(() => composeReportOutline([])).toThrow()
  })
})
