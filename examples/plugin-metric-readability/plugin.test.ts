import { checkPlugin } from '@almanac/plugin-api'
import {
  delivererConformance,
  metricConformance,
  sampleDocuments,
} from '@almanac/plugin-api/conformance'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import plugin, { archive, sentenceLength } from './plugin.ts'

it('is a plugin', () => {
  expect(checkPlugin(plugin).ok).toBe(true)
})

describe('the metric sentence-length', () => {
  for (const { name, run } of metricConformance(sentenceLength)) it(name, run)

  it('names the sentences that are too long', async () => {
    const [clean] = sampleDocuments()
    const { package: runPackage } = clean!.input
    const long = `Agencies ${'and agencies '.repeat(20)}met.`
    const content = { summary: [{ text: long }, { text: 'They met.' }], sections: [] }
    const measured = await sentenceLength.measure({ content, package: runPackage, findings: [] })
    expect(measured.value).toBe(0.5)
    expect(measured.reasons).toEqual([
      expect.stringMatching(/^42 words in one sentence: Agencies and agencies .*…$/),
    ])
  })
})

const folders: string[] = []
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true })
})

describe('the deliverer archive', () => {
  const checks = delivererConformance(() => {
    const folder = mkdtempSync(join(tmpdir(), 'almanac-archive-'))
    folders.push(folder)
    const arrived = () =>
      Object.fromEntries(
        readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), 'utf8')]),
      )
    return { deliverer: archive(folder), arrived }
  })
  for (const { name, run } of checks) it(name, run)
})
