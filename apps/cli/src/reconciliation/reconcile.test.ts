import { AlmanacError, reconcile } from '@almanac/domain'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseProviderFile } from './provider-file.ts'

const heading = 'date,model,input_tokens,output_tokens,cost_usd,organization'
const sentence = (text: string): string => {
  try {
    parseProviderFile(text, 'bill.csv')
    return ''
  } catch (error) {
    if (error instanceof AlmanacError && error.code === 'INPUT_INVALID') return error.message
    throw error
  }
}

describe('a provider’s file', () => {
  it('is CSV or JSON lines, with dollars of any precision', () => {
    const csv = `\ufeff${heading}\r\n2026-11-20,gpt-5,10,20,0.0000005,"a, b"\r\n2026-11-21,gpt-5,1,2,1.5e-3,\r\n`
    const json = [
      '{"date":"2026-11-20","model":"gpt-5","input_tokens":10,"output_tokens":20,"cost_usd":5e-7}',
      '',
      '{"date":"2026-11-21","model":"gpt-5","input_tokens":1,"output_tokens":2,"cost_micro_usd":1500}',
    ].join('\n')
    const lines = [
      { day: '2026-11-20', model: 'gpt-5', inputTokens: 10, outputTokens: 20, cost: 500_000n },
      { day: '2026-11-21', model: 'gpt-5', inputTokens: 1, outputTokens: 2, cost: 1_500_000_000n },
    ]
    expect(parseProviderFile(csv, 'f')).toEqual(lines)
    expect(parseProviderFile(json, 'f')).toEqual(lines)
  })

  it('is refused with every line that is wrong, by its number', () => {
    expect(sentence(`${heading}\n2026-02-30,gpt-5,1,2,1,\n2026-02-01,gpt-5,-1,2.5,-1,`)).toMatch(
      /bill\.csv:2\.date.*bill\.csv:3\.input_tokens.*bill\.csv:3\.output_tokens.*bill\.csv:3\.cost_usd/,
    )
    expect(sentence('date,model\n')).toContain('must name the columns input_tokens, output_tokens')
    expect(sentence(`${heading}\n`)).toContain('at least one line')
    expect(sentence(`${heading}\n"2026`)).toContain('bill.csv:2')
    expect(sentence('{"date":"2026-11-20"}\n{oops')).toContain('bill.csv:2: must be a JSON object')
    const both =
      '{"date":"2026-11-20","model":"m","input_tokens":1,"output_tokens":1,"cost_usd":1,"cost_micro_usd":1.5}'
    expect(sentence(both)).toContain('cost_micro_usd')
  })
})

describe('reconciliation', () => {
  const ours = (day: string, model: string, costMicroUsd: number, tokens = 10) => ({
    ...{ day, model, calls: 1, inputTokens: tokens, outputTokens: tokens, costMicroUsd },
  })
  const theirs = (day: string, model: string, microUsd: number, tokens = 10) => ({
    ...{ day, model, inputTokens: tokens, outputTokens: tokens },
    cost: BigInt(microUsd) * 1_000_000n,
  })

  it('says by day and model what differs, with its sign, and what is over', () => {
    const { lines, total } = reconcile(
      [ours('2026-11-20', 'gpt-5-2026-03-05', 1_000), ours('2026-11-21', 'gpt-5', 500)],
      [theirs('2026-11-20', 'gpt-5', 1_005), theirs('2026-11-22', 'gpt-5', 300)],
      0.01,
    )
    expect(
      lines.map(({ day, model, difference, over }) => [day, model, difference.costMicroUsd, over]),
    ).toEqual([
      ['2026-11-20', 'gpt-5', 5, false],
      ['2026-11-21', 'gpt-5', -500, true],
      ['2026-11-22', 'gpt-5', 300, true],
    ])
    expect(total.difference).toEqual({ costMicroUsd: -195, inputTokens: 0, outputTokens: 0 })
    expect(total.over).toBe(true)
  })

  it('sees tokens that differ where the costs do not', () => {
    const [line] = reconcile(
      [ours('2026-11-20', 'm', 10, 100)],
      [theirs('2026-11-20', 'm', 10, 90)],
      0.05,
    ).lines
    expect(line).toMatchObject({ over: true, difference: { costMicroUsd: 0, inputTokens: -10 } })
  })

  it('of equal numbers has no difference, however they are cut into lines', () => {
    const line = fc.record({
      day: fc.constantFrom('2026-11-20', '2026-11-21'),
      model: fc.constantFrom('a', 'b'),
      costMicroUsd: fc.nat(1_000_000),
      tokens: fc.nat(1_000),
      parts: fc.integer({ min: 1, max: 3 }),
    })
    fc.assert(
      fc.property(fc.array(line), (all) => {
        const mine = all.map(({ day, model, costMicroUsd, tokens }) =>
          ours(day, model, costMicroUsd, tokens * 6),
        )
        const told = all.flatMap(({ day, model, costMicroUsd, tokens, parts }) =>
          Array.from({ length: parts }, () => ({
            ...theirs(day, model, 0, (tokens * 6) / parts),
            cost: (BigInt(costMicroUsd) * 1_000_000n) / BigInt(parts),
          })),
        )
        const { total, lines } = reconcile(mine, told, 0)
        // Thirds of a micro-USD are cut off beyond a trillionth of a dollar.
        expect(total.difference).toEqual({ costMicroUsd: 0, inputTokens: 0, outputTokens: 0 })
        expect(lines.every(({ over }) => !over)).toBe(true)
      }),
    )
  })
})
