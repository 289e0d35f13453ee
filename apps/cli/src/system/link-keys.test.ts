import { createSecretKey } from 'node:crypto'
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { linkKeysOf } from './link-keys.ts'

const folder = mkdtempSync(join(tmpdir(), 'almanac-links-'))
afterAll(() => rmSync(folder, { recursive: true }))
const seal = (id: string, byte: number) => ({ id, key: createSecretKey(Buffer.alloc(32, byte)) })

describe('the keys of links', () => {
  it('are the same wherever the seal keys are, and tell nothing of them', () => {
    const [first, second] = [seal('new', 1), seal('old', 2)]
    const here = linkKeysOf({ sealKeys: [first, second], dataDir: join(folder, 'here') })
    const there = linkKeysOf({ sealKeys: [first, second], dataDir: join(folder, 'there') })
    expect(here).toEqual(there)
    expect(here).toHaveLength(2)
    expect(here.map((key) => key.length)).toEqual([32, 32])
    expect(here[0]).not.toEqual(Buffer.alloc(32, 1))
    expect(here[0]).not.toEqual(here[1])
  })

  it('without seal keys are kept in the data folder, for its owner alone', () => {
    const dataDir = join(folder, 'data')
    const made = linkKeysOf({ sealKeys: [], dataDir })
    expect(made).toHaveLength(1)
    expect(linkKeysOf({ sealKeys: [], dataDir })).toEqual(made)
    expect(statSync(join(dataDir, 'link-secret')).mode & 0o777).toBe(0o600)
    expect(linkKeysOf({ sealKeys: [], dataDir: join(folder, 'other') })).not.toEqual(made)
  })

  it('are none where there is nowhere to keep one, or what is kept is cut', () => {
    const file = join(folder, 'file')
    writeFileSync(file, '')
    expect(linkKeysOf({ sealKeys: [], dataDir: file })).toEqual([])
    writeFileSync(join(folder, 'link-secret'), 'short')
    expect(linkKeysOf({ sealKeys: [], dataDir: folder })).toEqual([])
  })
})
