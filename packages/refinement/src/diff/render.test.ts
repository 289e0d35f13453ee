import { visibleText } from '@almanac/domain'
import fc from 'fast-check'
import { parse, type DefaultTreeAdapterTypes as Dom } from 'parse5'
import { describe, expect, it } from 'vitest'
import { diff } from './diff.ts'
import { renderDiffHtml } from './render-html.ts'
import { renderDiffText } from './render-text.ts'
import { anyTree, inPlace, treeKind } from './testing/trees.ts'

const item = (text: string, id = 'a') =>
  inPlace([{ level: 'item', id, parentId: null, value: { text } }])
const between = (before: string, after: string) => diff(treeKind, item(before), item(after))

const hostile = [
  '<script>alert(1)</script>',
  '"><img src=x onerror=alert(1)>',
  '</ins></li><iframe srcdoc="x">',
  '\u202egnp.exe\u202c \u0000\u0007\u001b[31mred',
  'line\nbreak\r\n+ item forged',
  '&lt;b&gt; &#60; &amp;',
  '\ud800 half \udc00',
  '<!-- -->]]><![CDATA[',
]

/** Every element of a fragment, and every text. */
function read(html: string): { elements: { name: string; attributes: string[] }[]; text: string } {
  const elements: { name: string; attributes: string[] }[] = []
  let text = ''
  const visit = (node: Dom.Node) => {
    if ('attrs' in node)
      elements.push({
        name: node.nodeName,
        attributes: node.attrs.map(({ name, value }) => `${name}=${value}`),
      })
    if (node.nodeName === '#text' && 'value' in node) text += node.value
    if (node.nodeName === '#comment') throw new Error('a comment')
    if ('childNodes' in node) node.childNodes.forEach(visit)
  }
  visit(parse(`<!doctype html>${html}`))
  return { elements, text }
}

const allowed = new Set(
  [
    'html',
    'head',
    'body',
    'section',
    'p',
    'ul',
    'li',
    'b',
    'dl',
    'dt',
    'dd',
    'ins',
    'del',
  ].values(),
)
const classes = ['class=diff', 'class=added', 'class=removed', 'class=changed', 'class=moved']

function expectInert(html: string) {
  const { elements, text } = read(html)
  for (const { name, attributes } of elements) {
    expect(allowed).toContain(name)
    for (const attribute of attributes) expect(classes).toContain(attribute)
  }
  const visible = text.replaceAll('\n', ' ')
  expect(visibleText(visible)).toBe(visible)
}

describe('a diff for people', () => {
  it('marks the words that differ', () => {
    const html = renderDiffHtml(between('EPA set a limit of 5 units.', 'EPA set a cap of 5 units.'))
    expect(html).toContain('<dd>EPA set a<del> limit</del><ins> cap</ins> of 5 units.</dd>')
    expect(renderDiffText(between('old', 'new'))).toBe(
      '1 changed\n~ item a\n  - text: old\n  + text: new\n',
    )
  })

  it('says what was moved, added and removed, and that nothing was', () => {
    const trees = [
      [item('one'), inPlace([])],
      [inPlace([]), item('one')],
      [
        inPlace([...item('one'), ...item('two', 'b'), ...item('three', 'c')]),
        inPlace([...item('three', 'c'), ...item('one'), ...item('two', 'b')]),
      ],
    ] as const
    const texts = trees.map(([a, b]) => renderDiffText(diff(treeKind, a, b)))
    expect(texts).toEqual([
      '1 removed\n- item a\n  - text: one\n',
      '1 added\n+ item a\n  + text: one\n',
      '1 moved\n> item c: place 3 of the document -> place 1 of the document\n',
    ])
    expect(renderDiffText(between('same', 'same'))).toBe('no change\n')
    expect(renderDiffHtml(between('same', 'same'))).toBe(
      '<section class="diff">\n<p>no change</p>\n</section>\n',
    )
  })

  it.each(hostile)('renders %j inert', (text) => {
    for (const [a, b] of [
      [text, 'plain'],
      ['plain', text],
      [text, `${text} ${text}`],
    ] as const) {
      expectInert(renderDiffHtml(between(a, b)))
      const lines = renderDiffText(between(a, b)).split('\n')
      expect(lines).toHaveLength(5)
      for (const line of lines) expect(visibleText(line)).toBe(line)
    }
    const renamed = diff(treeKind, inPlace([]), item('x', text))
    expectInert(renderDiffHtml(renamed))
    expect(renderDiffText(renamed).split('\n')).toHaveLength(4)
  })

  it('renders any two documents inert, with everything that they say', () => {
    fc.assert(
      fc.property(anyTree, anyTree, fc.constantFrom(...hostile), (a, b, text) => {
        const spiced = b.map((one, i) => (i === 0 ? { ...one, value: { [text]: text } } : one))
        expectInert(renderDiffHtml(diff(treeKind, a, spiced)))
      }),
      { numRuns: 100 },
    )
  })
})
