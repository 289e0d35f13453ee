import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ndjsonLines } from './ndjson-lines.ts'

const limits = { importBytes: 1_000_000, lineBytes: 40 }

async function* pieces(bytes: Uint8Array, sizes: readonly number[]) {
  let at = 0
  for (let i = 0; at < bytes.length; i += 1) {
    const size = sizes[i % sizes.length] ?? 1
    yield bytes.subarray(at, at + size)
    at += size
  }
}

const split = async (text: string, sizes: readonly number[], over = limits) => {
  const found: [number, string | null][] = []
  const body = pieces(new TextEncoder().encode(text), sizes)
  for await (const { number, bytes } of ndjsonLines(body, over))
    found.push([number, bytes && new TextDecoder().decode(bytes)])
  return found
}

describe('lines of a body', () => {
  it('are the same however the body is cut', async () => {
    const line = fc
      .string({ unit: 'grapheme', maxLength: 60 })
      .map((text) => text.replace(/[\n\r]/g, ''))
    const sizes = fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 5 })
    await fc.assert(
      fc.asyncProperty(fc.array(line), sizes, fc.boolean(), async (lines, cuts, ended) => {
        const expected = lines.flatMap((text, i) => {
          if (/^[ \t]*$/.test(text)) return []
          const long = new TextEncoder().encode(text).length > limits.lineBytes
          return [[i + 1, long ? null : text]]
        })
        expect(await split(lines.join('\n') + (ended ? '\n' : ''), cuts)).toEqual(expected)
      }),
    )
  })

  it('that are blank are counted and left out', async () => {
    expect(await split('\n \r\n\t\n{}\n\n', [3])).toEqual([[4, '{}']])
    expect(await split('', [1])).toEqual([])
  })

  it('are refused together when they are too many', async () => {
    const over = { ...limits, importBytes: 10 }
    expect(await split('12345\n789\n', [4], over)).toHaveLength(2)
    await expect(split('12345\n7890\n', [4], over)).rejects.toMatchObject({
      code: 'BODY_TOO_LARGE',
      params: { limitBytes: 10 },
    })
  })
})
