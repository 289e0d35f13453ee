import { applyDiff, diff, renderDiffHtml, renderDiffText } from '@almanac/refinement'
import { describe, expect, it } from 'vitest'
import { composeReport } from '../../packages/llm/src/deterministic/compose-report.ts'
import { defects, seeded, withDefects, type DefectName } from '../support/report-defects.ts'
import { kinds } from '../support/sample.ts'
import { seededPackage } from '../support/seeded-package.ts'

const kind = kinds.get('report')
const runPackage = seededPackage(7, 24)
const draft = composeReport(runPackage)
const contentOf = (answer: unknown) => {
  const { content, findings } = kind.read(runPackage, [answer])
  if (content === undefined) throw new Error(JSON.stringify(findings))
  return content
}
const whole = contentOf(draft)
const scope = { regions: runPackage.scope?.regions ?? [], links: runPackage.scope?.links ?? [] }

describe('the diff of reports', () => {
  it.each(Object.keys(defects) as DefectName[])('turns one into the other and back: %s', (name) => {
    const other = contentOf(withDefects(draft, [name], seeded(3), scope))
    const there = diff(kind, whole, other)
    expect(there.changes.length).toBeGreaterThan(0)
    expect(applyDiff(kind, whole, there)).toEqual(other)
    expect(applyDiff(kind, other, diff(kind, other, whole))).toEqual(whole)
  })

  it('sees any line, item or section go', () => {
    const without = [
      ...draft.summary.map((_, gone) => ({
        ...draft,
        summary: draft.summary.filter((__, i) => i !== gone),
      })),
      ...draft.sections.map((_, gone) => ({
        ...draft,
        sections: draft.sections.filter((__, i) => i !== gone),
      })),
      ...draft.sections.flatMap((section, s) =>
        section.items.map((_, gone) => ({
          ...draft,
          sections: draft.sections.map((one, i) =>
            i === s ? { ...one, items: one.items.filter((__, n) => n !== gone) } : one,
          ),
        })),
      ),
    ]
    expect(without.length).toBeGreaterThan(20)
    for (const less of without) {
      const types = diff(kind, whole, contentOf(less)).changes.map(({ type }) => type)
      expect(types.length).toBeGreaterThan(0)
      expect(new Set(types)).toEqual(new Set(['removed']))
    }
  })

  it('shows a reworded item as one change, by its words', () => {
    const [first, ...sections] = draft.sections
    const [item, ...items] = first?.items ?? []
    if (!first || !item) throw new Error('the report is empty')
    const reworded = { ...item, text: `${item.text} Comments are welcome.` }
    const other = contentOf({
      ...draft,
      sections: [{ ...first, items: [reworded, ...items] }, ...sections],
    })
    const change = diff(kind, whole, other)
    expect(change.changes).toEqual([
      expect.objectContaining({ type: 'changed', level: 'item', fields: ['text'] }),
    ])
    expect(renderDiffHtml(change)).toContain('<ins> Comments are welcome.</ins>')
    expect(renderDiffText(change)).toMatch(/^1 changed\n~ item item:i[0-9a-f]{12} \(now item:i/)
  })
})
