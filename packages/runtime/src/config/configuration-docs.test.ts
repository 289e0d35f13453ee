import { parseEnv } from 'node:util'
import { expect, it } from 'vitest'
import { readConfig } from './config.ts'
import { configurationMarkdown, envExample } from './configuration-docs.ts'
import { settingFacts } from './setting.ts'
import { settings } from './settings.ts'

const names = Object.keys(settings.shape)

it('describes every setting once, in one sentence', () => {
  const markdown = configurationMarkdown()
  const headings = [...markdown.matchAll(/^### `(\w+)`$/gm)].map(([, name]) => name)
  expect(headings.toSorted()).toEqual(names.toSorted())
  for (const [name, schema] of Object.entries(settings.shape)) {
    expect(settingFacts.get(schema)?.description, name).toMatch(/^[A-Z`][^.]*(\.\d[^.]*)*\.$/)
  }
})

it('sets nothing in .env.example as it stands, and every setting once when uncommented', () => {
  expect(parseEnv(envExample())).toEqual({})
  const uncommented = parseEnv(envExample().replaceAll(/^#(?=[A-Z_]+=)/gm, ''))
  expect(Object.keys(uncommented).toSorted()).toEqual(names.toSorted())
})

it('gives examples that are allowed', () => {
  const examples = parseEnv(envExample().replaceAll(/^#(?=[A-Z_]+=)/gm, ''))
  const sealKey = `2026-11:${Buffer.alloc(32).toString('base64')}`
  expect(readConfig({ ...examples, ALMANAC_SEAL_KEYS: sealKey }).profile).toBe('standard')
})
