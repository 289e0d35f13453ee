import { isAlmanacError } from '@almanac/domain'
import { createLogger, readConfig } from '@almanac/runtime'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { createEngine } from './engine.ts'

const folder = mkdtempSync(join(tmpdir(), 'almanac-prices-'))
afterAll(() => rmSync(folder, { recursive: true }))

const row = {
  model: 'local-1',
  tier: 'standard',
  from: '2026-01-01T00:00:00Z',
  until: null,
  input: 2_000_000,
  cachedInput: 0,
  output: 0,
}
const usage = { inputTokens: 1_000_000, cachedInputTokens: 0, outputTokens: 0, estimated: false }

/** The engine with these prices in a file of the operator's. */
function engineWith(text: string, model = 'local-1') {
  const file = join(folder, 'prices.json')
  writeFileSync(file, text)
  const config = readConfig({
    ...{ ALMANAC_ENGINE: 'openai', OPENAI_API_KEY: 'sk-none', LLM_MODEL: model, LLM_PRICES: file },
    ALMANAC_LOG_LEVEL: 'silent',
  })
  return createEngine(config, createLogger(config, 'stderr'))
}

const sentence = async (text: string, model?: string): Promise<string> => {
  try {
    await engineWith(text, model)
    return ''
  } catch (error) {
    if (isAlmanacError(error)) return `${error.code}: ${error.message}`
    throw error
  }
}

describe('the prices of a file', () => {
  it('make a model known, replace those of a known one, and leave the others', async () => {
    const own = [row, { ...row, model: 'gpt-5', input: 9_000_000 }]
    const text = `// what we pay\n${JSON.stringify(own)}`
    const priceOf = async (model: string) =>
      (await engineWith(text, model)).price(usage, { model, tier: 'standard' }, new Date())
    expect(await priceOf('local-1')).toBe(2_000_000)
    expect(await priceOf('gpt-5')).toBe(9_000_000)
    expect(await priceOf('gpt-5-mini')).toBe(250_000)
  })

  it('are refused with the reason: an unknown model, rows that overlap, amounts that are none', async () => {
    expect(await sentence(JSON.stringify([row]), 'local-2')).toMatch(
      /^INPUT_INVALID: model: has no price in the tier standard at .*local-1/,
    )
    const overlap = [row, { ...row, from: '2026-06-01T00:00:00Z' }]
    expect(await sentence(JSON.stringify(overlap))).toMatch(
      /^CONFIG_INVALID.*LLM_PRICES: prices\.1: must not overlap with prices\.0 \(2026-01-01T00:00:00Z to ever\), for local-1 in the tier standard \(found 2026-06-01T00:00:00Z to ever\)/,
    )
    const wrong = [
      { ...row, input: -1 },
      { ...row, model: 'b', output: 0.5 },
    ]
    expect(await sentence(JSON.stringify(wrong))).toMatch(/prices\.0\.input.*prices\.1\.output/)
    expect(await sentence('[')).toMatch(/^CONFIG_INVALID.*LLM_PRICES: must name a JSON file/)
  })
})
