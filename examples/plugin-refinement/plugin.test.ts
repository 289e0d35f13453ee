import { refinementLimits, type RunId, type VersionId } from '@almanac/domain'
import { derivedId } from '@almanac/domain/ids'
import { checkPlugin, type TerminationInput } from '@almanac/plugin-api'
import {
  mergeConformance,
  sampleMerge,
  terminationConformance,
  variantConformance,
} from '@almanac/plugin-api/conformance'
import { describe, expect, it } from 'vitest'
import plugin, { halfSpent, keepAll, worstFirst } from './plugin.ts'

it('is a plugin', () => {
  expect(checkPlugin(plugin).ok).toBe(true)
})

describe('the variant strategy worst-first', () => {
  for (const { name, run } of variantConformance(worstFirst)) it(name, run)
})

describe('the merge strategy keep-all', () => {
  for (const { name, run } of mergeConformance(keepAll)) it(name, run)

  it('has every element of every version', async () => {
    const input = sampleMerge()
    const { elements } = await keepAll.merge(input)
    const ids = new Set(elements.map(({ id }) => id))
    for (const { outline } of input.variants)
      for (const { id } of outline) expect(ids).toContain(id)
  })
})

describe('the condition half-spent', () => {
  const draft: VersionId = derivedId('version', 'draft')
  const rootId: RunId = derivedId('run', 'root')
  const spent = (tokens: number): TerminationInput => ({
    limits: refinementLimits.parse({ tokens: 1_000 }),
    lineage: {
      ...{ rootId, parentId: draft, depth: 0, childrenGenerated: 0 },
      ...{ spent: { microUsd: 0, tokens }, held: { microUsd: 0, tokens: 0 } },
      ...{ bests: [{ id: draft, score: 0.5, depth: 0 }], last: null, generationOpen: false },
      ...{ ended: null, checkpoint: null, deadlineAt: null, now: '2026-11-21T12:00:00.000Z' },
    },
  })
  const cases = { stops: spent(500), goesOn: spent(499) }
  for (const { name, run } of terminationConformance(halfSpent, cases)) it(name, run)
})
