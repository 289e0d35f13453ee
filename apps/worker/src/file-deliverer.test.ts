import { createHash } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { newId } from '@almanac/domain/ids'
import type { DueDelivery } from '@almanac/pipeline'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { fileDeliverer } from './file-deliverer.ts'

const texts = { json: '{"a":1}', markdown: '# A\n', html: '<!doctype html>' }
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')

const content = {
  get: (_tenantId: string, hash: string) => {
    const text = Object.values(texts).find((known) => sha256(known) === hash)
    return text === undefined ? Promise.reject(new Error('no such content')) : Promise.resolve(text)
  },
}
const signal = new AbortController().signal

const delivery = (given: Partial<DueDelivery> = {}): DueDelivery => ({
  id: newId('delivery'),
  tenantId: newId('tenant'),
  runId: newId('run'),
  specificationId: newId('specification'),
  periodKey: '2022-W10',
  deliverer: 'file',
  attempts: 0,
  artifacts: Object.entries(texts).map(([format, text]) => ({
    format,
    sha256: sha256(text),
    bytes: text.length,
  })),
  ...given,
})

let dir: string
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'almanac-deliver-'))
})
afterEach(() => rm(dir, { recursive: true }))

const deliver = (due: DueDelivery) => fileDeliverer({ dir, content }).deliver(due, signal)

describe('the file deliverer', () => {
  it('writes the three formats and a note of them into the period’s folder', async () => {
    const due = delivery()
    const folder = join(dir, due.tenantId, due.specificationId, '2022-W10')
    expect(await deliver(due)).toEqual({ folder })
    expect((await readdir(folder)).toSorted()).toEqual([
      'delivery.json',
      'report.html',
      'report.json',
      'report.md',
    ])
    expect(await readFile(join(folder, 'report.md'), 'utf8')).toBe(texts.markdown)
    expect(JSON.parse(await readFile(join(folder, 'delivery.json'), 'utf8'))).toEqual({
      id: due.id,
      tenantId: due.tenantId,
      specificationId: due.specificationId,
      runId: due.runId,
      periodKey: '2022-W10',
      classification: 'non_operational_output',
      files: [
        { name: 'report.json', format: 'json', sha256: sha256(texts.json), bytes: 7 },
        { name: 'report.md', format: 'markdown', sha256: sha256(texts.markdown), bytes: 4 },
        { name: 'report.html', format: 'html', sha256: sha256(texts.html), bytes: 15 },
      ],
    })
  })

  it('writes the same bytes when it delivers again', async () => {
    const due = delivery({ periodKey: null })
    await deliver(due)
    const note = join(dir, due.tenantId, due.specificationId, due.runId, 'delivery.json')
    const before = await readFile(note, 'utf8')
    await deliver(due)
    expect(await readFile(note, 'utf8')).toBe(before)
  })

  it('leaves what was there when content cannot be read', async () => {
    const due = delivery()
    await deliver(due)
    const { artifacts } = due
    const broken = artifacts.map((artifact) => ({ ...artifact, sha256: sha256('other') }))
    await expect(deliver({ ...due, artifacts: broken })).rejects.toThrow('no such content')
    const folder = join(dir, due.tenantId, due.specificationId, '2022-W10')
    expect(await readdir(folder)).toHaveLength(4)
    expect(await readFile(join(folder, 'report.json'), 'utf8')).toBe(texts.json)
  })

  it.each([
    { tenantId: 'ten_../../../../etc' as const },
    { specificationId: 'spec_..' as const },
    { runId: 'run_/etc/passwd' as const, periodKey: null },
    { periodKey: '../../2022-W10' },
    { periodKey: '2022-W10/..' },
    { periodKey: '2022-W10\n' },
    { artifacts: [{ format: '../../x', sha256: sha256('x'), bytes: 1 }] },
  ])('refuses %o, and writes nothing', async (given) => {
    await expect(deliver(delivery(given))).rejects.toMatchObject({ code: 'INPUT_INVALID' })
    expect(await readdir(dir)).toEqual([])
  })

  it('fails when the folder cannot be made', async () => {
    const due = delivery()
    await writeFile(join(dir, due.tenantId), 'a file in the way')
    await expect(deliver(due)).rejects.toThrow(/ENOTDIR|EEXIST/)
  })
})
