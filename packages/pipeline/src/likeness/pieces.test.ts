import type { Outline } from '@almanac/domain'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { pieceCharacters, piecesOf } from './embed-texts.ts'
import { proseOf } from './prose.ts'

describe('the prose of a document', () => {
  it('is what its elements say, in their order, without keys, codes and metadata', () => {
    const at = { parentId: null, path: '' }
    const outline: Outline = [
      { ...at, level: 'metadata', id: 'm', value: { title: 'Not this one' } },
      {
        ...{ ...at, level: 'item', id: 'a', value: { region: 'north-sea', text: 'Ports reopen.' } },
      },
      {
        ...{ ...at, level: 'item', id: 'b' },
        value: { steps: ['Ask them.', { why: 'They know.', count: 3 }, 'x'], none: null },
      },
    ]
    expect(proseOf(outline)).toBe('Ports reopen.\nAsk them.\nThey know.')
  })

  it('is also that of scripts without spaces', () => {
    const said = (text: string) =>
      proseOf([
        { level: 'item', id: 'a', parentId: null, path: '', value: { region: 'kanto', text } },
      ])
    expect(said('港が再開した。')).toBe('港が再開した。')
    expect(said('  ')).toBe('')
  })
})

describe('the pieces of a text', () => {
  const line = fc.string({ unit: 'binary', maxLength: 3 * pieceCharacters })
  it('hold all of it in its order, none longer than a model reads', () => {
    const lines = fc.array(fc.oneof(fc.lorem(), line), { minLength: 1, maxLength: 40 })
    fc.assert(
      fc.property(lines, (given) => {
        const text = given.join('\n')
        const pieces = piecesOf(text)
        for (const piece of pieces) {
          expect(piece.length).toBeLessThanOrEqual(pieceCharacters)
          expect(piece).not.toBe('')
          expect(piece.isWellFormed()).toBe(true)
        }
        const bare = (one: string) => one.toWellFormed().replaceAll(/[\n\uFFFD]/g, '')
        // A pair of surrogates that a cut parts is lost; nothing else is.
        if (!/[\uD800-\uDFFF]/.test(text)) expect(bare(pieces.join('\n'))).toBe(bare(text))
      }),
    )
  })

  it('are one for what fits, and as few as can be for what does not', () => {
    expect(piecesOf('a b\nc d')).toEqual(['a b\nc d'])
    const half = 'x'.repeat(pieceCharacters / 2)
    expect(piecesOf(`${half}\n${half}\nrest`)).toEqual([half, `${half}\nrest`])
  })
})
