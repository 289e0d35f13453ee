import type { ChangeReport } from '@almanac/domain'
import { parse, type DefaultTreeAdapterTypes as Tree } from 'parse5'
import { describe, expect, it } from 'vitest'
import { changesOf } from '../fixtures/changes.ts'
import { fixturePackage } from '../fixtures/package.ts'
import { fixtureReport, renderInput } from '../fixtures/report.ts'
import { workflowPackage } from '../fixtures/workflow-package.ts'
import { workflowRenderInput } from '../fixtures/workflow.ts'
import { renderReportHtml } from '../report/render/html.ts'
import { renderReportJson } from '../report/render/json.ts'
import { renderReportMarkdown } from '../report/render/markdown.ts'
import { renderWorkflowHtml } from '../workflow/render/html.ts'
import { renderWorkflowJson } from '../workflow/render/json.ts'
import { renderWorkflowMarkdown } from '../workflow/render/markdown.ts'

const isElement = (node: Tree.Node): node is Tree.Element => 'tagName' in node
function find(node: Tree.Node, id: string): Tree.Element | undefined {
  if (isElement(node) && node.attrs.some(({ name, value }) => name === 'id' && value === id))
    return node
  if (!('childNodes' in node)) return undefined
  for (const child of node.childNodes) {
    const found = find(child, id)
    if (found) return found
  }
  return undefined
}
function textOf(node: Tree.Node | undefined): string {
  if (!node) return ''
  if ('value' in node) return node.value
  const text = 'childNodes' in node ? node.childNodes.map(textOf).join('') : ''
  return text.replace(/\s+/g, ' ').trim()
}

const runPackage = fixturePackage({ items: 12 })
const content = fixtureReport(runPackage)
const [first] = content.sections
const said = { kind: 'fact', region: 'national', link: 'aviation', evidence: ['register/1'] }
const mixed = changesOf({
  new: [
    { level: 'item', id: 'item:1', path: '/sections/0/items/0' },
    { level: 'item', id: 'item:2', path: '/sections/0/items/1' },
    { level: 'section', id: 'section:x', path: '/sections/1' },
  ],
  changed: [
    {
      ...{ level: 'item', id: 'item:3', earlierId: 'item:9', path: '/sections/0/items/2' },
      fields: ['text'],
      before: { ...said, text: 'FAA took comments until 1 May 2022.' },
    },
  ],
  gone: [
    {
      ...{ level: 'item', id: 'item:8', parentId: 'section:final-rules' },
      before: { ...said, text: 'FAA withdrew a rule.' },
    },
    {
      ...{ level: 'section', id: 'section:corrections', parentId: null },
      before: { deliverable: 'corrections' },
    },
  ],
})
const rendered = (changes?: ChangeReport) => {
  const input = { ...renderInput(runPackage, content), ...(changes && { changes }) }
  return {
    page: parse(renderReportHtml(input)),
    markdown: renderReportMarkdown(input),
    json: JSON.parse(renderReportJson(input)) as { changes?: ChangeReport },
  }
}

describe('a report says what is new', () => {
  it('in a line of its brief that leads to a section', () => {
    const { page, markdown } = rendered(mixed)
    const line = 'What is new: 2 · changed: 1 · gone: 1 (against 2022-W09)'
    expect(textOf(find(page, 'brief'))).toContain(line)
    expect(markdown).toContain(`\n\n${line}\n\n## Coverage`)
    const headings = markdown.split('\n').filter((line) => line.startsWith('## '))
    expect(headings.slice(-5)).toEqual([
      '## Corrections',
      '## What is new',
      '## Sources',
      '## Method and score',
      '## Provenance',
    ])
    expect(markdown).toContain(
      '## What is new\n\n2 new, 1 changed, 1 gone, against 2022-W09. In what they say, the two reports are 43 % alike, by their words.\n',
    )
  })

  it('with links to what is new, and the words of what is not any more', () => {
    const { page, markdown } = rendered(mixed)
    const section = find(page, 'changes')
    const text = textOf(section)
    for (const part of [
      'New · Final rules: item 1, item 2',
      'New · Proposed rules: the section',
      'Changed · Final rules: item 3 (text)',
      'In 2022-W09: “FAA took comments until 1 May 2022.”',
      'Gone · Final rules · Fact · National · Aviation',
      '“FAA withdrew a rule.”',
      'Gone · Section Corrections',
    ])
      expect(text).toContain(part)
    const links: string[] = []
    const visit = (node: Tree.Node): void => {
      if (isElement(node) && node.tagName === 'a')
        links.push(...node.attrs.filter(({ name }) => name === 'href').map(({ value }) => value))
      if ('childNodes' in node) node.childNodes.forEach(visit)
    }
    if (section) visit(section)
    const ids = (first?.items ?? []).slice(0, 3).map(({ id }) => `#${id}`)
    expect(links).toEqual([...ids.slice(0, 2), '#d-proposed-rules', ids[2]])
    for (const link of links) expect(find(page, link.slice(1))).toBeDefined()
    expect(markdown).toContain(
      [
        '- **New** · Final rules: item 1, item 2',
        '- **New** · Proposed rules: the section',
        '- **Changed** · Final rules: item 3 (text); in 2022-W09: “FAA took comments until 1 May 2022.”',
        '- **Gone** · Final rules · Fact · National · Aviation: “FAA withdrew a rule.”',
        '- **Gone** · Section Corrections',
      ].join('\n'),
    )
  })

  it('as the whole change report in the JSON', () => {
    expect(rendered(mixed).json.changes).toEqual(mixed)
  })

  it('and how alike the two are, by what they were compared', () => {
    const line = (likeness: ChangeReport['likeness']) => {
      const { page, markdown } = rendered({ ...mixed, likeness })
      const told = /In what they say, (.*)\./.exec(markdown)?.[1]
      if (told) expect(textOf(find(page, 'changes'))).toContain(told.replaceAll('\\', ''))
      return told?.replaceAll('\\', '')
    }
    const words = { method: 'tfidf', model: null } as const
    const model = 'text-embedding-3-small'
    const note = 'the provider has no room for it now'
    expect(line({ value: 0.8765, method: 'embedding', model, note: null })).toBe(
      `the two reports are 88 % alike, by the embeddings of ${model}`,
    )
    expect(line({ ...words, value: 0.9999, note })).toBe(
      `the two reports are 99 % alike, by their words (${note})`,
    )
    expect(line({ ...words, value: 0.0001, note: null })).toContain('1 % alike')
    expect(line({ ...words, value: 0, note: null })).toContain(' 0 % alike')
    expect(line(null)).toBeUndefined()
  })

  it('without padding: nothing new is one sentence, and long lists are cut', () => {
    expect(textOf(find(rendered(changesOf()).page, 'changes'))).toContain(
      'Nothing is new: this report says what that of 2022-W09 said.',
    )
    const gone = Array.from({ length: 30 }, (_, i) => ({
      ...{ level: 'item' as const, id: `item:${i}`, parentId: 'section:final-rules' },
      before: { ...said, text: `FAA withdrew rule ${i}.` },
    }))
    const { page, markdown } = rendered(changesOf({ gone }))
    const text = textOf(find(page, 'changes'))
    expect(text.match(/Gone ·/g)).toHaveLength(12)
    expect(text).toContain('And 18 more, which the JSON of this document lists.')
    expect(markdown).toContain('And 18 more')
  })

  it('marks what it quotes from a report of sample data', () => {
    const against = { ...mixed.against, sample: true } as ChangeReport['against']
    const { page, markdown } = rendered({ ...mixed, against })
    expect(textOf(find(page, 'changes'))).toContain('“FAA withdrew a rule.” SAMPLE')
    expect(markdown).toContain('“FAA withdrew a rule.” (SAMPLE)')
  })

  it.each([
    ['first', null, 'First report: there is no earlier one to compare it with.'],
    ['on_demand', null, 'Made on demand: not compared with an earlier report.'],
    [
      'unreadable',
      mixed.against,
      'The report of 2022-W09 cannot be read any more, so nothing is compared with it.',
    ],
  ] as const)('or why nothing is compared: %s', (comparison, against, sentence) => {
    const { page, markdown } = rendered(changesOf({ comparison, against }))
    expect(textOf(find(page, 'brief'))).toContain(sentence)
    expect(find(page, 'changes')).toBeUndefined()
    expect(markdown).toContain(sentence)
    expect(markdown).not.toContain('## What is new')
  })

  it('and nothing at all where nobody has looked', () => {
    const { page, markdown, json } = rendered()
    expect(textOf(page)).not.toMatch(/What is new|First report/)
    expect(markdown).not.toMatch(/What is new|First report/)
    expect(json).not.toHaveProperty('changes')
  })
})

describe('a workflow says what is new', () => {
  const input = workflowRenderInput(workflowPackage())
  const changes = changesOf({
    new: [{ level: 'item', id: 'task:call', path: '/phases/0/tasks/1' }],
    changed: [
      {
        ...{ level: 'metadata', id: 'metadata', earlierId: 'metadata', path: '' },
        fields: ['summary'],
        before: { summary: 'Clerks take in suppliers.' },
      },
      {
        ...{ level: 'module', id: 'module:intake', earlierId: 'module:intake', path: '/modules/0' },
        fields: ['tasks'],
        before: { tasks: ['file'] },
      },
    ],
    gone: [{ level: 'phase', id: 'phase:x', parentId: null, before: { name: 'Pay suppliers' } }],
  })

  it('of all its elements, by their names', () => {
    const page = parse(renderWorkflowHtml({ ...input, changes }))
    const text = textOf(find(page, 'changes'))
    expect(textOf(find(page, 'brief'))).toContain('What is new: 1 · changed: 2 · gone: 1')
    for (const part of [
      'New · Take suppliers in: 1.2 Call the bank of each supplier',
      'Changed · The whole: in brief (summary)',
      'In 2022-W09: “Clerks take in suppliers.”',
      'Changed · Modules: M1 Intake (tasks)',
      'Gone · Phase Pay suppliers',
    ])
      expect(text).toContain(part)
    expect(renderWorkflowMarkdown({ ...input, changes })).toContain(
      '- **New** · Take suppliers in: 1\\.2 Call the bank of each supplier',
    )
    expect(JSON.parse(renderWorkflowJson({ ...input, changes }))).toMatchObject({ changes })
  })
})
