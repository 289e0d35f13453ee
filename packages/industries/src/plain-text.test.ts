import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { plainText, plainTitle } from './plain-text.ts'

describe('plainText', () => {
  it.each([
    ['Sand &amp; Gravel', 'Sand & Gravel'],
    ['Miles 636&#8211;655', 'Miles 636–655'],
    ['636&#x2013;655', '636–655'],
    ['St. Mary&rsquo;s', 'St. Mary’s'],
    ['Caf&eacute; &Eacute;', 'Café É'],
    ['&#150;', '–'],
    ['&amp;lt;b&amp;gt;', '&lt;b&gt;'],
    ['R&D, AT&T, C&R Battery Co.', 'R&D, AT&T, C&R Battery Co.'],
    ['&nosuchname; &#xZZ;', '&nosuchname; &#xZZ;'],
    ['&#0;&#xD800;&#x110000;', '\ufffd\ufffd\ufffd'],
    ['&constructor; &__proto__;', '&constructor; &__proto__;'],
  ])('decodes %j', (given, expected) => {
    expect(plainText(given)).toBe(expected)
  })

  it.each([
    ['colours', '\u001b[31mred\u001b[0m', 'red'],
    ['a window title', '\u001b]0;owned\u0007safe', 'safe'],
    ['a terminal link', '\u001b]8;;http://x\u001b\\text\u001b]8;;\u001b\\', 'text'],
    ['an unfinished string', 'a\u001b]0;rest', 'a0;rest'],
    ['eight-bit codes', '\u009b2Jclear', 'clear'],
    ['codes that entities hide', '&#27;[31mred', 'red'],
    ['control characters', 'a\u0000b\u0008c\u007f', 'abc'],
    ['direction overrides', 'abc\u202edef\u2066', 'abcdef'],
    ['characters without width', 'poly\u00adure\u200bthane\ufeff', 'polyurethane'],
    ['lone surrogates', 'a\ud800b', 'a\ufffdb'],
  ])('removes %s', (_what, given, expected) => {
    expect(plainText(given)).toBe(expected)
  })

  it('keeps lines, of whatever kind they are', () => {
    expect(plainText('a\r\nb\rc\u2028d\te\nf')).toBe('a\nb\nc\nd e\nf')
  })

  it('leaves nothing that a terminal or a database would act on', () => {
    const anything = fc
      .array(fc.integer({ min: 0, max: 0xffff }))
      .map((codes) => String.fromCharCode(...codes))
    const hostile = fc.string({
      unit: fc.constantFrom('\u001b', '[', ']', '\u009b', '\u0007', ';', '&', '#', '2', '7', 'm'),
    })
    fc.assert(
      fc.property(fc.oneof(anything, hostile), (text) => {
        const plain = plainText(text)
        expect(plain).not.toMatch(/[^\P{Cc}\n]/u)
        expect(plain.isWellFormed()).toBe(true)
      }),
    )
  })
})

describe('plainTitle', () => {
  it('is one line without white space at its ends', () => {
    expect(plainTitle('  Produce for\nHuman&nbsp;\tConsumption \r\n')).toBe(
      'Produce for Human Consumption',
    )
  })
})
