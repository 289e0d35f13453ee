import { execFileSync } from 'node:child_process'
import fc from 'fast-check'
import { parse, type DefaultTreeAdapterTypes as Tree } from 'parse5'
import sanitizeHtml from 'sanitize-html'
import { describe, expect, it } from 'vitest'
import { hostileInput } from '../../fixtures/hostile.ts'
import { fixturePackage, fixtureScope } from '../../fixtures/package.ts'
import { fixtureReport, renderInput } from '../../fixtures/report.ts'
import { stylesheet, stylesheetHash } from '../../render/stylesheet.ts'
import { renderReportHtml } from './html.ts'

const isElement = (node: Tree.Node): node is Tree.Element => 'tagName' in node

function elements(markup: string): Tree.Element[] {
  const found: Tree.Element[] = []
  const walk = (node: Tree.Node): void => {
    if (isElement(node)) found.push(node)
    if ('childNodes' in node) node.childNodes.forEach(walk)
  }
  walk(parse(markup))
  return found
}

const attribute = (element: Tree.Element, name: string) =>
  element.attrs.find((attr) => attr.name === name)?.value

/** The text of a tree, without the stylesheet. */
function textOf(node: Tree.Node): string {
  if (isElement(node) && node.tagName === 'style') return ''
  if ('value' in node) return node.value
  return 'childNodes' in node ? node.childNodes.map(textOf).join('') : ''
}

const page = (markup: string) => textOf(parse(markup)).replace(/\s+/g, ' ')

const attributes: Record<string, string[]> = {
  html: ['lang', 'data-run'],
  meta: ['charset', 'name', 'content'],
  body: ['class'],
  a: ['class', 'href', 'aria-label', 'rel', 'target'],
  section: ['class', 'id', 'aria-labelledby'],
  h2: ['id'],
  p: ['class'],
  i: ['class'],
  ul: ['class'],
  ol: ['class'],
  li: ['id'],
  span: ['class'],
  div: ['class', 'tabindex', 'role', 'aria-label'],
  th: ['scope'],
  td: ['class'],
  svg: ['role', 'viewBox', 'aria-labelledby', 'aria-describedby'],
  title: ['id'],
  desc: ['id'],
  text: ['x', 'y'],
  rect: ['class', 'x', 'y', 'width', 'height', 'fill', 'stroke', 'stroke-width'],
  path: ['class', 'd', 'stroke', 'stroke-width', 'stroke-dasharray'],
}
const plain =
  'head style header h1 b main mark cite table caption thead tbody tfoot tr figure figcaption footer dl dt dd code'
const tags = [...Object.keys(attributes), ...plain.split(' ')]

/** A strict sanitizer that knows every element and attribute of ours, and nothing else. */
const sanitized = (markup: string): string =>
  sanitizeHtml(markup, {
    allowedTags: tags,
    allowedAttributes: attributes,
    allowedSchemes: ['http', 'https'],
    allowProtocolRelative: false,
    allowVulnerableTags: true,
    parser: { lowerCaseTags: false, lowerCaseAttributeNames: false },
  })

/** The tree as comparable text: elements, sorted attributes, characters. */
function tree(node: Tree.Node): string {
  if ('value' in node) return node.value
  const children = 'childNodes' in node ? node.childNodes.map(tree).join('') : ''
  if (!isElement(node)) return children
  const attrs = node.attrs.map(({ name, value }) => `${name}=${value}`).sort()
  return `<${[node.tagName, ...attrs].join(' ')}>${children}</>`
}

function expectInert(markup: string): void {
  const all = elements(markup)
  const ids = all.flatMap((element) => attribute(element, 'id') ?? [])
  expect(new Set(ids).size).toBe(ids.length)
  const loads = ['src', 'srcset', 'style', 'action', 'formaction', 'background', 'ping', 'data']
  for (const element of all) {
    expect(tags).toContain(element.tagName)
    for (const { name, value } of element.attrs) {
      expect(name).not.toMatch(/^on|:/)
      expect(loads).not.toContain(name)
      expect(value).not.toMatch(/url\(/i)
      if (name !== 'href') continue
      expect(element.tagName).toBe('a')
      expect(value).toMatch(/^(https?:\/\/|#)/)
      if (value.startsWith('#')) expect(ids).toContain(value.slice(1))
    }
  }
  const [style, ...others] = all.filter(({ tagName }) => tagName === 'style')
  expect(others).toEqual([])
  expect(style?.childNodes.map((child) => ('value' in child ? child.value : ''))).toEqual([
    stylesheet,
  ])
  // eslint-disable-next-line no-control-regex
  expect(markup).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/)
}

describe('the HTML report', () => {
  it('is inert, whatever stands in it, and a sanitizer finds nothing to take away', () => {
    fc.assert(
      fc.property(hostileInput, (input) => {
        const markup = renderReportHtml(input)
        expectInert(markup)
        expect(tree(parse(sanitized(markup)))).toBe(tree(parse(markup)))
      }),
      { numRuns: 150 },
    )
  })

  it('fetches nothing from its stylesheet, and names its hash for a policy', () => {
    expect(stylesheet).not.toMatch(/url\(|@import|@font-face|expression|<|image-set/i)
    expect(stylesheetHash).toMatch(/^sha256-[A-Za-z0-9+/]{43}=$/)
  })

  it('has its parts in their order, all of them, with a section for each deliverable', () => {
    const markup = renderReportHtml(renderInput(fixturePackage({ items: 24 })))
    const headings = elements(markup).filter(({ tagName }) => /^h[12]$/.test(tagName))
    expect(headings.map(textOf)).toEqual([
      'Harbour regulation weekly',
      'In brief',
      'Coverage',
      'Signals',
      'Final rules',
      'Proposed rules',
      'Comment deadlines',
      'Corrections',
      'Sources',
      'Method and score',
      'Provenance',
    ])
    const text = page(markup)
    expect(text).toContain('Weekly report · Harbour Ltd')
    expect(text).toContain('2022-W10')
    expect(text).toContain('7–13 March 2022, America/New_York')
    expect(text).toContain('non_operational_output')
    expect(text).toContain('9f2c 9f2c 9f2c')
  })

  it('counts in the matrix what stands in the sections', () => {
    const runPackage = fixturePackage({ items: 24 })
    const content = fixtureReport(runPackage)
    const markup = renderReportHtml(renderInput(runPackage, content))
    const rows = elements(markup)
      .filter(({ tagName }) => tagName === 'tr')
      .map((row) => row.childNodes.filter(isElement).map(textOf))
    const counts = content.sections.map(({ items }) =>
      fixtureScope.regions.map((region) => items.filter((item) => item.region === region).length),
    )
    const sum = (list: readonly number[]) => list.reduce((all, one) => all + one, 0)
    const cells = rows.slice(1).map((row) => row.slice(1))
    expect(cells).toEqual([
      ...counts.map((row) => [...row, sum(row)].map(String)),
      [
        ...fixtureScope.regions.map((_, c) => sum(counts.map((row) => row[c] ?? 0))),
        sum(counts.flat()),
      ].map(String),
    ])
  })

  it('numbers its sources in order of first use, and leads back from each', () => {
    const runPackage = fixturePackage({ items: 24 })
    const markup = renderReportHtml(renderInput(runPackage))
    const all = elements(markup)
    const cited = all
      .filter((element) => /^#s\d+$/.test(attribute(element, 'href') ?? ''))
      .map((element) => Number(attribute(element, 'href')?.slice(2)))
    const firsts = [...new Set(cited)]
    expect(firsts).toEqual(firsts.map((_, i) => i + 1))
    expect(firsts).toHaveLength(all.filter((el) => /^s\d+$/.test(attribute(el, 'id') ?? '')).length)
    const back = all.filter((el) => /^#i[0-9a-f]{12}$/.test(attribute(el, 'href') ?? ''))
    expect(back.length).toBeGreaterThanOrEqual(firsts.length - 2)
  })

  it('joins sources that share an address', () => {
    const runPackage = fixturePackage({ items: 4 })
    for (const item of runPackage.evidence) item.url = 'https://register.example/page#part'
    const markup = renderReportHtml(renderInput(runPackage))
    const listed = elements(markup).filter((el) => /^s\d+$/.test(attribute(el, 'id') ?? ''))
    expect(listed).toHaveLength(1)
    for (const { id } of runPackage.evidence) expect(markup).toContain(id)
  })

  it('says that a period is quiet, and shows a sentence for an empty chart', () => {
    const text = page(renderReportHtml(renderInput(fixturePackage({ items: 0 }))))
    expect(text.match(/Quiet period\. No qualifying evidence/g)).toHaveLength(4)
    expect(text).toContain('(0 of 1 source’s 41 items)')
    expect(text).toContain('Nothing to show')
    expect(text).toContain('No source is cited')
    expect(text).toContain('Conformance 1.00 of 1')
  })

  it('marks test runs, narrowed runs and sample evidence', () => {
    const scope = { ...fixtureScope, regions: ['national', 'california'] }
    const runPackage = fixturePackage({ items: 6, sample: true, scope })
    const input = renderInput(runPackage, undefined, { test: true, narrowed: true })
    const markup = renderReportHtml(input)
    const text = page(markup)
    expect(elements(markup).find(({ tagName }) => tagName === 'body')?.attrs).toEqual([
      { name: 'class', value: 'test' },
    ])
    expect(text).toContain('Test run: Harbour regulation weekly, 2022-W10')
    for (const word of ['TEST RUN', 'NARROWED', 'SAMPLE']) expect(text).toContain(word)
    expect(text).toContain('covers 4 of 4 deliverables, 2 of 5 regions and 5 of 5 links')
    expect(text).toContain('The evidence is invented sample data: nothing in it happened.')
    expect(text).toContain('–')
    const unmarked = page(renderReportHtml(renderInput(fixturePackage({ items: 6 }))))
    expect(unmarked).not.toMatch(/SAMPLE|TEST RUN|NARROWED|invented/)
  })

  it('says "from" where an item is a reading of its sources', () => {
    const text = page(renderReportHtml(renderInput(fixturePackage({ items: 12 }))))
    expect(text).toContain('attend to inspection this period. From [1] and [2].')
  })

  it('stays within 32 kB for 30 items', () => {
    const runPackage = fixturePackage({ items: 24, sample: true })
    const content = fixtureReport(runPackage)
    expect(content.sections.flatMap(({ items }) => items)).toHaveLength(30)
    const size = Buffer.byteLength(renderReportHtml(renderInput(runPackage, content)))
    expect(size).toBeLessThanOrEqual(32_000)
  })
})

describe('the same input', () => {
  it('gives the same bytes in every format, whatever the time zone and language of the process', () => {
    const at = (path: string) => JSON.stringify(new URL(path, import.meta.url).href)
    const script = `
      import { createKinds } from ${at('../../kinds.ts')}
      import { industryByHash } from ${at('../../fixtures/industry.ts')}
      import { fixturePackage } from ${at('../../fixtures/package.ts')}
      import { fixtureReport, renderInput } from ${at('../../fixtures/report.ts')}
      const kind = createKinds({ industryByHash }).get('report')
      const runPackage = fixturePackage({ items: 20 })
      const content = fixtureReport(runPackage)
      const findings = kind.validate(content, runPackage)
      const evaluation = kind.evaluate(content, runPackage, findings)
      const input = { ...renderInput(runPackage, content), findings, evaluation }
      const prompt = kind.prompt(runPackage, kind.calls(runPackage)[0], [])
      process.stdout.write(JSON.stringify([prompt, ...Object.values(kind.render).map((f) => f(input))]))`
    const run = (env: Record<string, string>) =>
      execFileSync(process.execPath, ['--input-type=module', '--eval', script], {
        env: { ...process.env, ...env },
        encoding: 'utf8',
        maxBuffer: 16_000_000,
      })
    const here = run({ TZ: 'UTC', LANG: 'C', LC_ALL: 'C' })
    expect(here).toContain('7–13 March 2022')
    expect(run({ TZ: 'Pacific/Kiritimati', LANG: 'ar_EG.UTF-8', LC_ALL: 'ar_EG.UTF-8' })).toBe(here)
    expect(run({ TZ: 'America/Los_Angeles', LANG: 'th_TH.UTF-8', LC_ALL: 'th_TH.UTF-8' })).toBe(
      here,
    )
  })
})
