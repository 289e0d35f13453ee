import { describe, expect, it } from 'vitest'
import { closed, firstSentence, list, quotable, quote, shorten } from './quotation.ts'

describe('quotation', () => {
  it('ends where it seems to end', () => {
    expect(quote('a “b” c')).toBe('“a "b" c”')
  })

  it('is plain text on one line', () => {
    expect(quotable(' A&amp;B\n\u001b[31mred\u202e \u{e0041}x ')).toBe('A&B red x')
  })

  it.each([
    ['Final rule “A”', 'Final rule “A”.'],
    ['Final rule “A etc.”', 'Final rule “A etc.”'],
    ['Comments close on 3 May 2022', 'Comments close on 3 May 2022.'],
    ['He says “really?”', 'He says “really?”'],
  ])('closes %s', (sentence, expected) => {
    expect(closed(sentence)).toBe(expected)
  })

  it('lists with commas and one and', () => {
    expect([list([]), list(['a']), list(['a', 'b']), list(['a', 'b', 'c'])]).toEqual([
      '',
      'a',
      'a and b',
      'a, b and c',
    ])
  })
})

describe('shortened text', () => {
  it.each([
    ['short enough', 40, 'short enough'],
    [
      'State plans; approvals: Maryland; nonattainment review',
      40,
      'State plans; approvals: Maryland…',
    ],
    [
      'rules for the small vessels that work on the Delaware River',
      56,
      'rules for the small vessels that work on…',
    ],
    ['they met in the week of 8 March 2022 once more', 26, 'they met in the week…'],
    ['a'.repeat(50), 20, '…'],
  ])('%s', (text, max, expected) => {
    const cut = shorten(text, max)
    expect(cut).toBe(expected)
    expect(cut.length).toBeLessThanOrEqual(max)
  })
})

describe('the first sentence', () => {
  it.each([
    ['Prices rose by 4.5 percent. Buyers wait.', 'Prices rose by 4.5 percent.'],
    ['The U.S. Coast Guard acted. More follows.', 'The U.S. Coast Guard acted.'],
    ['BASF Corp. raised prices. It said so.', 'BASF Corp. raised prices.'],
    ['“It is done.” He left.', '“It is done.”'],
    ['No end here', 'No end here'],
    ['', ''],
  ])('of %s', (text, expected) => {
    expect(firstSentence(text, 100)).toBe(expected)
  })

  it('is shortened where it is long, and where the text was read in part', () => {
    expect(firstSentence(`${'word '.repeat(100)}end.`, 30)).toBe('word word word word word…')
    expect(firstSentence(`one two${' '.repeat(500)}three`, 30)).toBe('one…')
  })
})
