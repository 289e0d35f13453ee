import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { csvText, parseCsv } from './csv.ts'

describe('CSV', () => {
  it('quotes what needs it, and makes formulas dead', () => {
    const rows = [
      ['a', 'b,c', 'say "x"', 'two\nlines', ' lead'],
      ['=1+1', '+1', '-1', '@SUM(A1)', '\tx'],
      [-5, 0, null, '', '\r=1'],
    ]
    expect(csvText(rows)).toBe(
      'a,"b,c","say ""x""","two\nlines"," lead"\r\n' +
        `"'=1+1","'+1","'-1","'@SUM(A1)","'\tx"\r\n` +
        `-5,0,,,"'\r=1"\r\n`,
    )
  })

  it('never begins a text cell as a formula does', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        expect(csvText([[text]])).not.toMatch(/^"?[=+\-@\t\r](?!\n)/)
      }),
    )
  })

  it('is read as it was written, whatever the texts', () => {
    const text = fc.string({ unit: 'binary' }).filter((one) => !/^[=+\-@\t\r]/.test(one))
    const rows = fc.array(fc.array(text, { minLength: 2, maxLength: 4 }))
    fc.assert(
      fc.property(rows, (written) => {
        expect(parseCsv(csvText(written))).toEqual({ rows: written })
      }),
    )
  })

  it('takes LF, a last line without an end, empty last cells, and empty lines', () => {
    expect(parseCsv('\ufeffa,b\n\n1,\n,2')).toEqual({
      rows: [
        ['a', 'b'],
        ['1', ''],
        ['', '2'],
      ],
    })
    expect(parseCsv('')).toEqual({ rows: [] })
  })

  it('says where a quote is not closed', () => {
    expect(parseCsv('a,b\n"c')).toEqual({ unclosedLine: 2 })
    expect(parseCsv('a,b\nc"d,e')).toEqual({ unclosedLine: 2 })
  })
})
