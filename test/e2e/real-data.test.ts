import { createReadStream, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  almanac,
  newDataDir,
  removeDataDir,
  startAlmanac,
  type AlmanacProcess,
} from '../support/almanac-process.ts'
import {
  federalRules,
  hasFederalRules,
  sampleSpecification,
  wholeScope,
} from '../support/sample.ts'

const dataDir = newDataDir()
let running: AlmanacProcess

describe.skipIf(!hasFederalRules)('the rules of 2022 through the whole system', () => {
  beforeAll(async () => {
    running = await startAlmanac(dataDir)
  })
  afterAll(async () => {
    await running.stop()
    removeDataDir(dataDir)
  })

  const command = (...args: string[]) => almanac([...args, '--data', dataDir])

  it('imports every line once', async () => {
    const first = await command('evidence', 'import', federalRules, '--source', 'rules', '--json')
    expect(first.code).toBe(0)
    expect(JSON.parse(first.stdout)).toEqual({
      source: 'rules',
      lines: 5_982,
      new: 5_982,
      changed: 0,
      unchanged: 0,
      refused: 0,
      problems: [],
    })
    const query = { source: 'rules' }
    const again = await running.client.importEvidence({
      query,
      body: createReadStream(federalRules),
    })
    expect(again).toMatchObject({ new: 0, changed: 0, unchanged: 5_982, refused: 0 })
  })

  it('stores 4,204 distinct titles', async () => {
    const titles = new Set<string>()
    for (let cursor: string | undefined; ;) {
      const query = { source: 'rules', limit: 100, ...(cursor ? { cursor } : {}) }
      const page = await running.client.listEvidence({ query })
      for (const { title } of page.data) titles.add(title)
      if (!page.nextCursor) break
      cursor = page.nextCursor
    }
    expect(titles.size).toBe(4_204)
  })

  it('backfills the 52 weeks of the year in one command, and refuses to make one again', async () => {
    const file = join(dataDir, 'specification.json')
    const body = sampleSpecification({
      ...wholeScope('us-regulation'),
      externalId: 'rules-weekly',
      name: 'Rules weekly',
      sources: ['rules'],
    })
    writeFileSync(file, JSON.stringify(body))
    expect((await command('spec', 'apply', file)).code).toBe(0)
    expect((await command('spec', 'activate', 'rules-weekly')).code).toBe(0)
    const weeks = ['--from', '2022-W01', '--to', '2022-W52']
    const made = await command('backfill', 'rules-weekly', ...weeks, '--json')
    expect(made.code).toBe(0)
    const lines = JSON.parse(made.stdout) as { period: string; outcome: string; run: string }[]
    expect(lines).toHaveLength(52)
    expect(new Set(lines.map(({ outcome }) => outcome))).toEqual(new Set(['succeeded']))

    const week = lines.find(({ period }) => period === '2022-W10')
    const refused = await command('run', 'rules-weekly', '--period', '2022-W10')
    expect(refused.code).toBe(1)
    expect(refused.stderr).toContain(`Period 2022-W10 was used by ${week?.run}`)

    const out = join(dataDir, 'out')
    expect((await command('artifacts', week?.run ?? '', '--out', out)).code).toBe(0)
    const { evidenceConsidered } = await running.client.getRunPackage({
      params: { id: week?.run as `run_${string}` },
    })
    expect(evidenceConsidered).toBe(104)
    expect(readFileSync(join(out, 'report.html'), 'utf8')).toContain('2022-W10')
  })

  it('passes its own verification, with rows behind every promise', async () => {
    const { code, stdout } = await command('verify', '--json')
    expect(stdout).not.toBe('')
    expect(code).toBe(0)
  })
})
