import { describe, expect, it } from 'vitest'
import { clipped, listed, pointer } from './finding.ts'

describe('pointer', () => {
  it.each([
    [[], ''],
    [['sections', 0, 'items', 2], '/sections/0/items/2'],
    [['a/b', 'c~d', ''], '/a~1b/c~0d/'],
  ])('writes %j as %j', (path, expected) => {
    expect(pointer(path)).toBe(expected)
  })
})

describe('clipped', () => {
  it('cuts at 160 characters and never through one', () => {
    expect(clipped('a'.repeat(160))).toBe('a'.repeat(160))
    const cut = clipped(`${'a'.repeat(158)}😀😀`)
    expect(cut.isWellFormed()).toBe(true)
    expect(cut.length).toBe(160)
    expect(clipped('\ud800\u001b[31m\n')).toBe('\ufffd[31m ')
  })
})

describe('listed', () => {
  it('names the first few and counts the rest', () => {
    expect(listed(['a', 'b'], 2)).toBe('a, b')
    expect(listed(['a', 'b', 'c', 'd'], 2)).toBe('a, b and 2 more')
  })
})
