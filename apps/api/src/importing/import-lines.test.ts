import { fieldMapping, type EvidenceItem } from '@almanac/domain'
import { describe, expect, it } from 'vitest'
import { importLines } from './import-lines.ts'
import type { NumberedLine } from './ndjson-lines.ts'

const mapping = fieldMapping.parse({})
const lineOf = (number: number): NumberedLine => {
  const item = { id: `i${number}`, publishedAt: '2026-03-07T05:00:00Z', title: 'A rule' }
  return { number, bytes: new TextEncoder().encode(JSON.stringify(item)) }
}

describe('importing lines', () => {
  it('reads one batch ahead of the one that is stored, and no further', async () => {
    let read = 0
    async function* lines() {
      for (let n = 1; n <= 5_000; n += 1) {
        read = n
        yield lineOf(n)
      }
    }
    const ahead: number[] = []
    let stored = 0
    let storing = 0
    const result = await importLines('s', lines(), mapping, async (items) => {
      expect((storing += 1)).toBe(1)
      for (let turn = 0; turn < 20; turn += 1) await Promise.resolve()
      ahead.push(read - stored)
      stored += items.length
      storing -= 1
      return { new: items.length, changed: 0, unchanged: 0 }
    })
    expect(result).toMatchObject({ lines: 5_000, new: 5_000, refused: 0 })
    expect(Math.max(...ahead)).toBeLessThanOrEqual(1_000)
  })

  it('keeps what was read when the body breaks off, and fails', async () => {
    const kept: EvidenceItem[] = []
    async function* lines() {
      for (let n = 1; n <= 700; n += 1) yield lineOf(n)
      await Promise.reject(new Error('broke off'))
    }
    const store = (items: readonly EvidenceItem[]) => {
      kept.push(...items)
      return Promise.resolve({ new: items.length, changed: 0, unchanged: 0 })
    }
    await expect(importLines('s', lines(), mapping, store)).rejects.toThrow('broke off')
    expect(kept).toHaveLength(700)
  })

  it('fails when storing does, after the first batch that did', async () => {
    let asked = 0
    async function* lines() {
      for (let n = 1; n <= 5_000; n += 1) yield await Promise.resolve(lineOf(n))
    }
    const store = () => {
      asked += 1
      return Promise.reject(new Error('no room'))
    }
    await expect(importLines('s', lines(), mapping, store)).rejects.toThrow('no room')
    expect(asked).toBeLessThanOrEqual(2)
  })
})
