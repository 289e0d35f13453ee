import { describe, expect, it } from 'vitest'
import { groundOf, ungrounded } from './ground.ts'

const missing = (claim: string, ...evidence: string[]) =>
  ungrounded(claim, () => [groundOf(evidence, 'America/New_York')])

describe('a quantity is grounded, however it is written', () => {
  it.each([
    ['1,234,567 units', 'a limit of 1234567 units'],
    ['1234567 units', 'a limit of 1,234,567 units'],
    ['1\u00a0234\u202f567 units', 'a limit of 1,234,567 units'],
    ['$4.2 million', 'about $4,200,000'],
    ['4,200,000', 'USD 4.2 million'],
    ['$3bn', 'three plants for 3 billion dollars'],
    ['12 percent', 'by 12%'],
    ['12%', 'by 12 per cent'],
    ['12', 'by 12%'],
    ['1.50', 'rate of 1.5'],
    ['007 items', '7 items'],
    ['3 states', 'three states'],
    ['a 30-day period', 'within 30 days'],
    ['within 30 days', 'a 30-day period'],
    ['5 kg', 'a 5kg bag'],
    ['10–20 percent', 'from 10 to 20%'],
    ['from 10 to 20 units', '10-20 units'],
    ['the 8th', 'March 8, 2022'],
    ['in 2022', '2022-03-08'],
    ['pre-2020 models', 'models before 2020'],
    ['March 8, 2022', '2022-03-08'],
    ['8 March 2022', 'Mar. 8, 2022'],
    ['8 Mar 2022', 'March 8, 2022'],
    ['2022-03-08', '8 March 2022'],
    ['March 8th', 'on 8 March 2022'],
    ['March 2022', '8 March 2022'],
    ['7–13 March 2022', 'between March 7, 2022 and March 13, 2022'],
    ['March 7 to 13, 2022', '7 March 2022 to 13 March 2022'],
    ['03/08/2022', 'March 8, 2022'],
    ['13/03/2022', '13 March 2022'],
    ['FAA-2021-1170', 'docket FAA-2021-1170'],
    ['faa-2021-1170', 'docket FAA-2021-1170'],
    ['docket 2021-1170', 'docket FAA-2021-1170'],
    ['FY2022', 'fiscal year FY 2022'],
    ['PM-2.5', 'PM2.5 standard'],
    ['Airbus A320', 'Airbus A320-200 airplanes'],
    ['40 CFR 52.21(a)(1)', 'amends 40 CFR 52.21(a)(1)'],
    ['document 2021-28413', 'FR 2021-28413'],
    ['１２ units', '12 units'],
    ['until 2 February 2022', '2022-02-03T04:59:59Z'],
    ['until 3 February 2022 in UTC', '2022-02-03T04:59:59Z'],
    ['at 11:59 p.m.', '2022-02-03T04:59:59Z'],
    ['no numbers at all', 'nothing'],
    ['they may 5', '5 of them'],
  ])('%s ← %s', (claim, evidence) => {
    expect(missing(claim, evidence)).toEqual([])
  })
})

describe('a quantity that the evidence lacks is found', () => {
  it.each([
    ['1,234 units', 'a limit of 1,235 units', ['1,234']],
    ['12%', 'a dozen of 12 units', ['12']],
    ['4.2 billion', '4.2 million', ['4.2']],
    ['8 states', 'on March 8, 2022', ['8']],
    ['1170 aircraft', 'docket FAA-2021-1170', ['1170']],
    ['March 9, 2022', 'March 8, 2022', ['March 9, 2022']],
    ['8 March 2021', '8 March 2022', ['8 March 2021']],
    ['April 2022', '8 March 2022', ['April 2022']],
    ['FAA-2021-1171', 'docket FAA-2021-1170', ['FAA-2021-1171']],
    ['FAA-2021-117', 'docket FAA-2021-1170', ['FAA-2021-117']],
    ['A32', 'Airbus A320', ['A32']],
    ['５ states', 'six states', ['5']],
    ['7 and 7 and 9', '9', ['7']],
    ['on 31 May', 'nothing', ['31 May']],
    ['2.3.4', '2.3', ['2.3.4']],
    ['28413 pages', 'FR 2021-28413', ['28413']],
  ])('%s ↚ %s', (claim, evidence, expected) => {
    expect(missing(claim, evidence)).toEqual(expected)
  })

  it('looks at all cited items together', () => {
    expect(missing('5 of 9 on 8 March 2022', '5', '9', '2022-03-08')).toEqual([])
  })

  it('asks for the evidence only when the claim has a number', () => {
    const never = () => {
      throw new Error('asked')
    }
    expect(ungrounded('The agency decided.', never)).toEqual([])
    expect(() => ungrounded('The agency decided 2.', never)).toThrow('asked')
  })

  it('is quick with hostile text', () => {
    const hostile = `${'1-'.repeat(3_000)}a ${'9 March '.repeat(2_000)} ${'1,111'.repeat(2_000)}`
    expect(missing(hostile, hostile)).toEqual([])
  })
})
