import { isAlmanacError, type TenantId } from '@almanac/domain'
import { sha256 } from '@almanac/domain/hash'
import fc from 'fast-check'
import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { testDatabase, testTenant } from '../../../test/support/postgres.ts'
import { createAesCodec, plainCodec } from './codec.ts'
import { createContent } from './content.ts'

const { db, superuser, tamper } = await testDatabase()
const { tenantId } = await testTenant(db)
const key = { id: 'k1', key: randomBytes(32) }
const codecs = [
  { name: 'plain', codec: plainCodec },
  { name: 'AES-256-GCM', codec: createAesCodec(key) },
]

const change = (set: string, hash: string) =>
  tamper(`update blobs set ${set} where sha256 = $1`, [hash])

const code = (work: Promise<unknown>) =>
  work.then(
    () => undefined,
    (error: unknown) => (isAlmanacError(error) ? error.code : error),
  )

const putOne = async (tenant: TenantId, text: string, codec = plainCodec) => {
  const [hash = ''] = await createContent(db, codec).put(tenant, [text])
  return hash
}

describe.each(codecs)('content, $name', ({ codec }) => {
  const content = createContent(db, codec)

  it('comes back as it went in, under the hash of its bytes', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.string({ unit: 'grapheme', maxLength: 200 }), { minLength: 1, maxLength: 5 }),
        async (texts) => {
          const hashes = await content.put(tenantId, texts)
          expect(hashes).toEqual(texts.map((text) => sha256(text)))
          const back = await Promise.all(hashes.map((hash) => content.get(tenantId, hash)))
          expect(back).toEqual(texts)
        },
      ),
      { numRuns: 30 },
    )
  })

  it('is stored once, also when many store it at once', async () => {
    const texts = Array.from({ length: 20 }, (_, i) => `${codec === plainCodec} text ${i}`)
    await Promise.all(
      Array.from({ length: 8 }, (_, i) =>
        createContent(db, codec).put(tenantId, [...texts.slice(i), ...texts.slice(0, i)]),
      ),
    )
    const [row] = await superuser('select count(*)::int as n from blobs where sha256 = any ($1)', [
      texts.map((text) => sha256(text)),
    ])
    expect(row).toEqual({ n: 20 })
  })

  it('that was changed is not shown', async () => {
    const hash = await putOne(tenantId, `to be changed ${codec === plainCodec}`, codec)
    await change(`bytes = set_byte(bytes, length(bytes) - 1, 7)`, hash)
    expect(await code(content.get(tenantId, hash))).toBe('CONTENT_TAMPERED')
  })

  it('that was erased says so', async () => {
    const hash = await putOne(tenantId, `to be erased ${codec === plainCodec}`, codec)
    await change('bytes = null, erased_at = now()', hash)
    expect(await code(content.get(tenantId, hash))).toBe('CONTENT_ERASED')
  })

  it('of another tenant, or of nobody, is not found', async () => {
    const other = await testTenant(db)
    const hash = await putOne(tenantId, `mine ${codec === plainCodec}`, codec)
    expect(await code(content.get(other.tenantId, hash))).toBe('NOT_FOUND')
    expect(await code(content.get(tenantId, sha256('never stored')))).toBe('NOT_FOUND')
  })

  it('with half a character is refused: it would come back as another text', async () => {
    expect(await code(content.put(tenantId, ['\ud800']))).toBe('INPUT_INVALID')
  })
})

describe('a sealed text', () => {
  it('is not readable in the database', async () => {
    const hash = await putOne(tenantId, 'a secret', createAesCodec(key))
    const [row] = await superuser<{ bytes: Buffer; key_id: string }>(
      'select bytes, key_id from blobs where sha256 = $1',
      [hash],
    )
    expect(row?.key_id).toBe('k1')
    expect(row?.bytes.includes('a secret')).toBe(false)
  })

  it('opens with an older key, and says which key is missing', async () => {
    const hash = await putOne(tenantId, 'sealed with the old key', createAesCodec(key))
    const newer = { id: 'k2', key: randomBytes(32) }
    const rotated = createContent(db, createAesCodec(newer, [key]))
    expect(await rotated.get(tenantId, hash)).toBe('sealed with the old key')
    const lost = createContent(db, createAesCodec(newer))
    await expect(lost.get(tenantId, hash)).rejects.toThrow(/content keys.*k1/)
    expect(await code(createContent(db, plainCodec).get(tenantId, hash))).toBe('CONFIG_INVALID')
  })

  it('opens what was stored before there was a key', async () => {
    const hash = await putOne(tenantId, 'stored in the open')
    expect(await createContent(db, createAesCodec(key)).get(tenantId, hash)).toBe(
      'stored in the open',
    )
  })
})
