import { canonicalJson } from '@almanac/domain'
import { describe, expect, it } from 'vitest'
import { fixturePackage } from '../../fixtures/package.ts'
import { fixtureReport, renderInput } from '../../fixtures/report.ts'
import { renderReportHtml } from './html.ts'
import { renderReportJson } from './json.ts'

const runPackage = fixturePackage({ items: 8, sample: true })
const content = fixtureReport(runPackage)
const input = renderInput(runPackage, content, { test: true })
const json = renderReportJson(input)
const parsed = JSON.parse(json)

describe('the JSON report', () => {
  it('is canonical, and holds metadata, content, evaluation, findings and sources', () => {
    expect(canonicalJson(parsed)).toBe(json)
    expect(Object.keys(parsed)).toEqual([
      'content',
      'evaluation',
      'findings',
      'metadata',
      'sources',
    ])
    expect(parsed.content).toEqual(content)
    expect(parsed.metadata.classification).toBe('non_operational_output')
    expect(parsed.metadata.test).toBe(true)
  })

  it('says in its notice that this is a test run on invented data', () => {
    expect(parsed.metadata.notice).toBe(
      'Static information: not advice, not an instruction to any system. Test run: made for trial only, it counts for nothing. The evidence is invented sample data: nothing in it happened.',
    )
    const twice = { ...input, metadata: parsed.metadata }
    expect(JSON.parse(renderReportJson(twice)).metadata.notice).toBe(parsed.metadata.notice)
  })

  it('gives sources the numbers that the HTML cites them by', () => {
    const html = renderReportHtml(input)
    expect(parsed.sources).toHaveLength(8)
    for (const { number, evidence, usedBy, sample } of parsed.sources) {
      expect(sample).toBe(true)
      const [, entry = ''] = html.split(`<li id="s${number}">`)
      expect(entry.slice(0, entry.indexOf('</li>'))).toContain(evidence[0].id)
      for (const id of usedBy) expect(html).toContain(`<li id="${id}">`)
    }
  })
})
