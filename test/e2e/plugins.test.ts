import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { almanac, newDataDir, removeDataDir } from '../support/almanac-process.ts'

const dataDir = newDataDir()
afterAll(() => {
  removeDataDir(dataDir)
})
const example = (name: string) => resolve(import.meta.dirname, `../../examples/${name}/plugin.ts`)

it('stops the start for a bad plugin, with its name and reason, before anything is made', async () => {
  const env = {
    ALMANAC_DATA: join(dataDir, 'never'),
    ALMANAC_PLUGINS: `${example('plugin-csv-exporter')},./no-such-plugin.ts`,
  }
  const { code, stderr } = await almanac(['up', '--once'], { env })
  expect(code).toBe(1)
  expect(stderr).toMatch(/the plugin \.\/no-such-plugin\.ts cannot be used: there is no file/)
  expect(existsSync(join(env.ALMANAC_DATA, 'postgres'))).toBe(false)
})

it('makes the sample with the example plugins: exported and measured by them too, and not judged offline', async () => {
  const env = {
    ALMANAC_DATA: join(dataDir, 'data'),
    ALMANAC_PORT: '0',
    ALMANAC_PLUGINS: ['csv-exporter', 'metric-readability', 'refinement', 'judge']
      .map((name) => example(`plugin-${name}`))
      .join(','),
    ALMANAC_DELIVERERS: 'file,archive',
    PLUGIN_ARCHIVE_DIR: join(dataDir, 'archive'),
  }
  const { code, stdout } = await almanac(['up', '--once', '--json'], { env })
  expect(code).toBe(0)
  const { folder } = JSON.parse(stdout) as { folder: string }
  expect(readdirSync(folder).toSorted()).toEqual(
    ['delivery.json', 'report.csv', 'report.html', 'report.json', 'report.md'].toSorted(),
  )
  const report = readFileSync(join(folder, 'report.json'), 'utf8')
  expect(report).toContain('not judged: the deterministic engine does not judge')
})
