import { checkPlugin } from '@almanac/plugin-api'
import { exporterConformance, sampleDocuments } from '@almanac/plugin-api/conformance'
import { describe, expect, it } from 'vitest'
import plugin, { csvExporter } from './plugin.ts'

describe('the CSV exporter', () => {
  it('is a plugin', () => {
    expect(checkPlugin(plugin).ok).toBe(true)
  })

  for (const { name, run } of exporterConformance(csvExporter)) it(name, run)

  it('writes a line a statement, with its evidence', async () => {
    const [clean] = sampleDocuments()
    const lines = (await csvExporter.export(clean!.input)).split('\r\n')
    expect(lines[0]).toBe('"deliverable","kind","region","link","text","evidence"')
    expect(lines[1]).toMatch(/^"final-rules","fact","\w+","\w+","FAA published .*","register\/FAA/)
    const { evidence } = clean!.input.package
    expect(lines.length).toBeGreaterThan(evidence.length)
    expect(lines.at(-2)).toContain('"non_operational_output"')
  })
})
