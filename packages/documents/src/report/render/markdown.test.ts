import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { hostileInput, hostileTexts } from '../../fixtures/hostile.ts'
import { fixturePackage, fixtureScope } from '../../fixtures/package.ts'
import { renderInput } from '../../fixtures/report.ts'
import { escapeMarkdown } from '../../render/escape-markdown.ts'
import { renderReportMarkdown } from './markdown.ts'

/** A link of ours: no bracket inside that is not escaped, an address that cannot end early. */
const ownLink = /\[((?:[^[\]\\]|\\.)*)\]\(<(https?:\/\/[^\s<>\\]+)>\)/g

/**
 * What would come alive in one line of Markdown, once escapes, words with an @ (as code) and our own
 * links are taken out. Blocks are decided by how a line begins.
 */
function alive(line: string): string[] {
  const inline = line
    .replace(ownLink, (_, text: string) => `§${text}§`)
    .replace(/\\[!-/:-@[-`{-~]/g, '§')
    .replace(/`[\w.+@-]+`/g, '§')
    .replace(/&(?:lt|gt|amp);/g, '§')
  const ours = inline
    .replace(/^> /, '')
    .replace(/^- /, '')
    .replace(/\*\*[A-Z][A-Za-z ]*\*\*/g, '§')
    .replace(/\[\d+\]/g, '§')
    .replace(/^\|.*\|$/, (row) => row.replaceAll('|', '§'))
  const found =
    ours.match(/[`*_[\]{}|~$^<>&\\@]|:\/\/|www\.|[\p{L}\p{N}]\.\p{L}|!\[|^#{2,}|^\s{4}|\s{2}$/gu) ??
    []
  return found.map((what) => `${what} in ${line}`)
}

const linkTargets = (markdown: string) =>
  [...markdown.matchAll(ownLink)].map(([, , address = '']) => address)

describe('the Markdown report', () => {
  it('is inert, whatever stands in it', () => {
    fc.assert(
      fc.property(hostileInput, (input) => {
        const markdown = renderReportMarkdown(input)
        const lines = markdown.split('\n')
        expect(lines.filter((line) => /^# /.test(line))).toHaveLength(1)
        const headings = lines.filter((line) => /^## /.test(line)).length
        expect(headings).toBe(7 + input.content.sections.length)
        const texts = lines.filter((line) => !/^##? /.test(line) && !/^\|(?: -+:? \|)+$/.test(line))
        expect(texts.flatMap(alive)).toEqual([])
        for (const address of linkTargets(markdown)) {
          expect(URL.parse(address)?.protocol).toMatch(/^https?:$/)
          expect(address).not.toMatch(/&\w+;/)
        }
        // eslint-disable-next-line no-control-regex
        expect(markdown).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/)
      }),
      { numRuns: 150 },
    )
  })

  it.each(hostileTexts)('has nothing alive in %j, wherever it stands', (text) => {
    for (const placed of [text, `a${text}`, `${text}b`, `${text}${text}`, `a ${text} b`])
      expect(alive(escapeMarkdown(placed))).toEqual([])
  })

  it.each([
    ['R&D < 5', 'R&amp;D &lt; 5'],
    ['# not a heading', '\\# not a heading'],
    ['1. not a list', '1\\. not a list'],
    ['- not a list', '\\- not a list'],
    ['![x](y)', '\\!\\[x\\](y)'],
    ['see https://e.example/a_b', 'see https\\://e\\.example/a\\_b'],
    ['ask a.b@c.example now', 'ask `a.b@c.example` now'],
    ['plain (text), 7.5 %; “quoted” – fine.', 'plain (text), 7.5 %; “quoted” – fine.'],
  ])('writes %j as %j', (text, expected) => {
    expect(escapeMarkdown(text)).toBe(expected)
  })

  it('links its sources, and nothing else', () => {
    const runPackage = fixturePackage({ items: 3 })
    const markdown = renderReportMarkdown(renderInput(runPackage))
    expect(linkTargets(markdown).toSorted()).toEqual(
      runPackage.evidence.map(({ url = '' }) => url).toSorted(),
    )
    const [first] = runPackage.evidence
    Object.assign(first ?? {}, { url: 'javascript:alert(1)' })
    const again = renderReportMarkdown(renderInput(runPackage))
    expect(linkTargets(again)).toHaveLength(2)
    expect(again).not.toContain('javascript')
  })

  it('says what the HTML says: items with citations, quiet sections, the score, provenance', () => {
    const markdown = renderReportMarkdown(renderInput(fixturePackage()))
    expect(markdown).toContain(
      '- **Fact** · National · Aviation: FAA published “Airworthiness Directives; Meridian Airplanes, Amendment 1” in docket FAA-2022-1000. [1]',
    )
    expect(markdown).toContain('## Corrections\n\nQuiet period. No qualifying evidence')
    expect(markdown).toContain('| Final rules | 8 | 1 | 1 | 10 | 8 |')
    expect(markdown).toContain('Conformance 1.00 of 1')
    expect(markdown).toContain('- Classification: non\\_operational\\_output')
  })

  it('marks test runs, narrowed runs and sample evidence', () => {
    const scope = { ...fixtureScope, regions: ['national', 'california'] }
    const runPackage = fixturePackage({ items: 6, sample: true, scope })
    const input = renderInput(runPackage, undefined, { test: true, narrowed: true })
    const markdown = renderReportMarkdown(input)
    expect(markdown).toContain('**TEST RUN** · **NARROWED** · **SAMPLE**')
    expect(markdown).toMatch(/^1\. \*\*SAMPLE\*\* FAA, 7 Mar 2022\./m)
    expect(markdown).toMatch(/\[1\] \(SAMPLE\)$/m)
    expect(markdown).toContain('invented sample data')
  })
})
