import { describe, expect, it } from 'vitest'
import { fixturePackage } from '../../fixtures/package.ts'
import { renderInput } from '../../fixtures/report.ts'
import { conformanceSentences, methodSentences, scoreText, warningSentence } from './method.ts'

describe('how a report was made', () => {
  it('is told with the numbers of the package', () => {
    const change = {
      evidenceLate: 2,
      evidenceOmitted: [
        { reason: 'out_of_scope', count: 40 } as const,
        { reason: 'withdrawn', count: 1 } as const,
        { reason: 'token_limit', count: 0 } as const,
      ],
    }
    const text = methodSentences(fixturePackage({ change })).join(' ')
    expect(text).toContain('Of 53 items that 1 source published in the period, 12 match')
    expect(text).toContain('by the word lists of harbours 1.0.0')
    expect(text).toContain('left out: 40 outside the scope, 1 withdrawn by the publisher.')
    expect(text).toContain('2 items of earlier periods arrived after the previous report')
  })
})

describe('the score', () => {
  it.each([
    [1, '1.00'],
    [0.9999, '0.99'],
    [0.29, '0.29'],
    [0.1, '0.10'],
    [0, '0.00'],
  ])('%d reads %s', (score, text) => {
    expect(scoreText(score)).toBe(text)
  })

  it('names the two metrics that lowered it most', () => {
    const metric = (name: string, weight: number, value: number) => ({
      ...{ name, weight, value },
      reasons: value < 1 ? [`${name} reason`] : [],
    })
    const metrics = [
      metric('coverage', 0.4, 0.9),
      metric('grounding', 0.2, 1),
      metric('citation', 0.15, 0.1),
      metric('quiet', 0.25, 0.5),
    ]
    expect(conformanceSentences({ score: 0.7, metrics })).toEqual([
      'Conformance 0.70 of 1: how fully the report does what its specification asks.',
      'Lowered by citation (0.10): citation reason.',
      'Lowered by quiet (0.50): quiet reason.',
    ])
    expect(conformanceSentences({ score: 1, metrics: [] })[1]).toBe('Nothing lowered it.')
  })

  it('shows warnings by the place that a reader knows', () => {
    const warning = { code: 'UNSAFE_TEXT', severity: 'warning', message: 'holds a tag' } as const
    const findings = ['/sections/0/items/2/text', '/summary/0/text', '/x', '/y'].map((path) => ({
      ...warning,
      path,
    }))
    const input = renderInput(fixturePackage())
    expect(warningSentence(input)).toBeUndefined()
    expect(warningSentence({ ...input, findings })).toBe(
      '4 warnings: Final rules, item 3: holds a tag; Summary, line 1: holds a tag; Report: holds a tag and 1 more.',
    )
  })
})
