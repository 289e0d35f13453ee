import { checkPlugin } from '@almanac/plugin-api'
import { judgeConformance, sampleDocuments } from '@almanac/plugin-api/conformance'
import { describe, expect, it } from 'vitest'
import plugin, { reportFit, workflowFit } from './plugin.ts'

it('is a plugin', () => {
  expect(checkPlugin(plugin).ok).toBe(true)
})

describe.each([reportFit, workflowFit])('the judge $name', (judge) => {
  for (const { name, run } of judgeConformance(judge)) it(name, run)
})

it('asks about each section by its label', async () => {
  const report = sampleDocuments().find(({ kind }) => kind === 'report')
  const checks = await reportFit.checklist({ package: report!.input.package })
  const { catalogue } = report!.input.package
  expect(checks).toHaveLength(2 + (catalogue?.deliverables.length ?? 0))
  for (const [i, { label }] of (catalogue?.deliverables ?? []).entries())
    expect(checks[2 + i]?.question).toContain(label)
})
