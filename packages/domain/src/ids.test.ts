import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { idPrefixes, runId, typeId, type Noun } from './ids.ts'
import { derivedId, lowestId, newId } from './new-id.ts'

const nouns = Object.keys(idPrefixes) as Noun[]

describe('ids', () => {
  it.each(nouns)('a new id of %s is one of its noun and of no other', (noun) => {
    const id = newId(noun)
    for (const other of nouns)
      expect(typeId(other).safeParse(id).success).toBe(idPrefixes[other] === idPrefixes[noun])
  })

  it('sort by their instant, and a bound lies below every id of its instant', () => {
    fc.assert(
      fc.property(fc.nat(4_000_000_000_000), fc.nat(4_000_000_000_000), (a, b) => {
        const [one, two] = [newId('run', a), newId('run', b)]
        if (a < b) expect(one < two).toBe(true)
        expect(lowestId('run', new Date(a)) <= one).toBe(true)
        expect(lowestId('run', new Date(a + 1)) > one).toBe(true)
      }),
    )
  })

  it('refuse what is not an id, and say what one looks like', () => {
    for (const text of [
      '',
      'run_',
      'run_../../etc/passwd',
      'RUN_01h455vb4pex5vsknk084sn02q',
      'art_01h455vb4pex5vsknk084sn02q',
    ])
      expect(runId.safeParse(text).error?.issues[0]?.message).toBe(
        'must be an id of the form run_ followed by 26 characters',
      )
  })

  it('follow from a name alone when derived', () => {
    expect(derivedId('document', 'a')).toBe(derivedId('document', 'a'))
    expect(derivedId('document', 'a')).not.toBe(derivedId('document', 'b'))
    expect(typeId('document').safeParse(derivedId('document', 'a')).success).toBe(true)
  })
})
