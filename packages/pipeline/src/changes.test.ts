import { AlmanacError, type ChangeReport, type Json, type RunPackage } from '@almanac/domain'
import { newId } from '@almanac/domain/ids'
import { describe, expect, it } from 'vitest'
import { composeReport } from '../../llm/src/deterministic/compose-report.ts'
import { kinds } from '../../../test/support/sample.ts'
import { seededPackage } from '../../../test/support/seeded-package.ts'
import { changesSince, readEarlier } from './changes.ts'

const kind = kinds.get('report')
const tenantId = newId('tenant')
const runId = newId('run')
const sha256 = 'ab'.repeat(32)
const own = seededPackage(7, 24)
const runPackage: RunPackage = {
  ...own,
  history: [{ runId, periodKey: '2022-W09', finishedAt: '2022-03-07T06:00:00Z' }],
  previousArtifactHash: sha256,
}

interface Section {
  deliverable: string
  quiet: boolean
  items: { id?: string; region: string; text: string; evidence: string[] }[]
}
type Draft = { summary: Json; sections: Section[] }

const draft = composeReport(runPackage) as unknown as Draft
const documentOf = (answer: Draft): Json => {
  const { content, findings } = kind.read(runPackage, [answer])
  if (content === undefined) throw new Error(JSON.stringify(findings))
  return content
}
const document = documentOf(draft)
const withItems = (change: (items: Section['items'], s: number) => Section['items']): Json =>
  documentOf({
    ...draft,
    sections: draft.sections.map((section, s) => ({
      ...section,
      items: change(section.items, s),
    })),
  })
type Report = Omit<ChangeReport, 'likeness'>
const against = (content: unknown, asked = runPackage): Report =>
  changesSince(kind, asked, { content, sample: false }, document).report
const counts = ({ new: added, changed, gone }: Report) => [
  ...[added.length, changed.length, gone.length],
]

describe('what is new', () => {
  it('is nothing in a document that says what the one before said', () => {
    const report = against(JSON.parse(JSON.stringify(document)))
    expect(report).toEqual({
      comparison: 'compared',
      against: { runId, periodKey: '2022-W09', sha256, sample: false },
      ...{ new: [], changed: [], gone: [] },
    })
  })

  it('is not what only the summary says, nor where an item stands', () => {
    const told = withItems((items) => [...items].reverse()) as { [key: string]: Json }
    const [cited] = draft.sections.flatMap(({ items }) => items.flatMap(({ evidence }) => evidence))
    const summary = [{ text: 'Another summary of the same.', evidence: [cited ?? ''] }]
    expect(counts(against({ ...told, summary }))).toEqual([0, 0, 0])
  })

  it('is what was added, with its path in the document', () => {
    const before = withItems((items, s) => (s === 0 ? items.slice(1) : items))
    const report = against(before)
    expect(counts(report)).toEqual([1, 0, 0])
    expect(report.new[0]).toMatchObject({ level: 'item', path: '/sections/0/items/0' })
  })

  it('is what was reworded, with what it said; and what is gone', () => {
    const before = withItems((items, s) =>
      items.flatMap((item, i) => {
        if (s !== 0 || i > 0) return [item]
        const gone = { ...item, text: `${item.text} That was all.`, evidence: ['unknown/1'] }
        return [{ ...item, text: `${item.text} Comments are welcome.` }, gone]
      }),
    )
    const report = against(before)
    expect(counts(report)).toEqual([0, 1, 1])
    expect(report.changed[0]).toMatchObject({ path: '/sections/0/items/0', fields: ['text'] })
    expect(report.changed[0]?.before['text']).toMatch(/ Comments are welcome\.$/)
    expect(report.changed[0]?.earlierId).not.toBe(report.changed[0]?.id)
    const { deliverable = '' } = draft.sections[0] ?? {}
    expect(report.gone[0]).toMatchObject({ level: 'item', parentId: `section:${deliverable}` })
    expect(report.gone[0]?.before['text']).toMatch(/ That was all\.$/)
  })

  it('leaves out what a narrowed run was not asked for', () => {
    const [kept = '', ...others] = runPackage.scope?.deliverables ?? []
    expect(others.length).toBeGreaterThan(0)
    const scope = { ...runPackage.scope, deliverables: [kept] } as RunPackage['scope']
    const narrowed = { ...runPackage, scope }
    const [section] = (document as unknown as { sections: Json[] }).sections
    const part = { ...(document as { [key: string]: Json }), sections: [section ?? null] }
    const earlier = { content: document, sample: false }
    const { report } = changesSince(kind, narrowed, earlier, part)
    expect(counts(report)).toEqual([0, 0, 0])
  })

  it('is a section that the specification did not order before', () => {
    const { sections, ...rest } = document as { [key: string]: Json } & { sections: Section[] }
    const before = { ...rest, sections: sections.slice(1) }
    const { new: added } = against(before)
    expect(added[0]).toMatchObject({ level: 'section', path: '/sections/0' })
    expect(added).toHaveLength(1 + (sections[0]?.items.length ?? 0))
  })

  it('costs nothing where there is nothing to compare with', () => {
    const never = () => {
      throw new Error('compared')
    }
    const untouchable = { ...kind, comparable: never, outline: never, parse: never }
    const without = (asked: RunPackage) =>
      changesSince(untouchable, asked, undefined, document).report
    const { previousArtifactHash: _, ...first } = { ...runPackage, history: [] }
    expect(without(first)).toMatchObject({ comparison: 'first', against: null })
    const onDemand = { ...first, cadence: { ...first.cadence, periodKey: null } }
    expect(without(onDemand)).toMatchObject({ comparison: 'on_demand', against: null })
    expect(without(runPackage)).toMatchObject({ comparison: 'unreadable', against: { sha256 } })
  })

  it.each([null, 7, {}, { kind: 'report', schemaVersion: 99 }, { kind: 'workflow' }])(
    'is not told against a document that is not read any more: %j',
    (content) => {
      expect(against(content)).toMatchObject({ comparison: 'unreadable', new: [], gone: [] })
    },
  )
})

describe('the document of the period before', () => {
  const reading = (get: () => Promise<string>) =>
    readEarlier({ put: () => Promise.resolve([]), get }, tenantId, runPackage)

  it('is read from its JSON artifact, and not asked for where there is none', async () => {
    const stored = JSON.stringify({ metadata: {}, content: document, sources: [{ sample: true }] })
    expect(await reading(() => Promise.resolve(stored))).toEqual({
      content: document,
      sample: true,
    })
    const never = { put: () => Promise.resolve([]), get: () => Promise.reject(new Error('read')) }
    expect(await readEarlier(never, tenantId, {})).toBeUndefined()
  })

  it('may be gone, or no JSON; a database that fails is another thing', async () => {
    for (const code of ['CONTENT_ERASED', 'CONTENT_TAMPERED', 'NOT_FOUND'] as const)
      expect(
        await reading(() => Promise.reject(new AlmanacError(code, { what: 'it' }))),
      ).toBeUndefined()
    expect(await reading(() => Promise.resolve('{"half":'))).toBeUndefined()
    expect(await reading(() => Promise.resolve('[]'))).toBeUndefined()
    await expect(reading(() => Promise.reject(new Error('no connection')))).rejects.toThrow(
      'no conn',
    )
  })
})
