import { execFileSync } from 'node:child_process'
import fc from 'fast-check'
import { parse, type DefaultTreeAdapterTypes as Tree } from 'parse5'
import sanitizeHtml from 'sanitize-html'
import { describe, expect, it } from 'vitest'
import { changesOfTexts } from '../../fixtures/changes.ts'
import { hostileText } from '../../fixtures/hostile.ts'
import { fixtureModule, workflowPackage } from '../../fixtures/workflow-package.ts'
import { fixtureWorkflow, workflowRenderInput } from '../../fixtures/workflow.ts'
import type { Call, RenderInput } from '../../kind.ts'
import { stylesheet } from '../../render/stylesheet.ts'
import { phasesToExpand } from '../expansion/ask.ts'
import { replacePhase } from '../expansion/replace-phase.ts'
import { partsOf } from '../expansion/testing/any-workflow.ts'
import type { WorkflowContent } from '../schema.ts'
import { renderWorkflowHtml } from './html.ts'
import { renderWorkflowMarkdown } from './markdown.ts'

/** What a renderer is given when tenant and engine are hostile; no validator stands before it. */
const hostileInput: fc.Arbitrary<RenderInput<WorkflowContent>> = fc
  .record({
    texts: fc.array(hostileText, { minLength: 24, maxLength: 24 }),
    form: fc.constantFrom('steps', 'checklist', 'narrative') as fc.Arbitrary<
      WorkflowContent['form']
    >,
    test: fc.boolean(),
    /** How deep the second phase stands in others. */
    depth: fc.integer({ min: 0, max: 5 }),
  })
  .map(({ texts, form, test, depth }) => {
    let at = 0
    const next = () => texts[(at += 1) % texts.length] || 'x'
    const clean = workflowPackage({ modules: [fixtureModule] })
    const content = structuredClone(fixtureWorkflow(clean))
    content.metadata = { title: next(), purpose: next(), audience: next(), style: next() }
    content.summary = next()
    content.form = form
    for (const one of [...content.roles, ...content.inputs, ...content.modules]) one.name = next()
    for (const role of content.roles) role.duty = next()
    for (const module of content.modules) module.purpose = next()
    for (const phase of content.phases) {
      Object.assign(phase, { name: next(), goal: next() })
      for (const task of phase.tasks) {
        Object.assign(task, { name: next(), steps: [next(), next()], done: next(), note: next() })
        for (const output of task.outputs) output.name = next()
      }
    }
    const second = content.phases[1]
    if (second && depth > 0)
      second.within = Array.from({ length: depth }, (_, i) => ({
        ...{ id: `outer-${i}`, name: next(), goal: next() },
      }))
    const module = { ...fixtureModule, steps: [next()], inputs: [next()], outputs: [next()] }
    const input = workflowRenderInput({ ...clean, tenantName: next() }, content, {
      ...{ test, title: next(), notice: next(), tenantName: next() },
      engine: { name: next(), model: next() },
    })
    const paths = ['', '/phases/0', '/phases/0/tasks/0', '/phases/1/tasks/1', '/modules/0']
    const changes = changesOfTexts(paths, next)
    return { ...input, changes, package: { ...input.package, modules: [module] } }
  })

/** The fixture with its second phase expanded into two. */
function expandedWorkflow(): WorkflowContent {
  const runPackage = workflowPackage()
  const content = fixtureWorkflow(runPackage)
  const [part] = phasesToExpand(content, { above: 5, most: 1, tried: ['onboard'] })
  const phase = content.phases[1]
  if (!part || !phase) throw new Error('there is no phase to expand')
  const call: Call = { kind: 'expand', n: 1, part: part.id, brief: part.brief, inputHashes: [] }
  const replaced = replacePhase(runPackage, content, call, partsOf(phase, [1]))
  if (!replaced.content) throw new Error(JSON.stringify(replaced.findings))
  return replaced.content
}

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
function textOf(node: Tree.Node): string {
  if (isElement(node) && node.tagName === 'style') return ''
  if ('value' in node) return node.value
  return 'childNodes' in node ? node.childNodes.map(textOf).join('') : ''
}
const page = (markup: string) => textOf(parse(markup)).replace(/\s+/g, ' ')
const attribute = (element: Tree.Element, name: string) =>
  element.attrs.find((attr) => attr.name === name)?.value

const attributes: Record<string, string[]> = {
  html: ['lang', 'data-run'],
  meta: ['charset', 'name', 'content'],
  body: ['class'],
  a: ['class', 'href', 'aria-label'],
  section: ['class', 'id', 'aria-labelledby'],
  h2: ['id'],
  h3: ['id'],
  h4: ['id'],
  h5: ['id'],
  h6: ['id'],
  p: ['class'],
  ul: ['class'],
  ol: ['class'],
  li: ['id'],
  span: ['class'],
  div: ['class', 'tabindex', 'role', 'aria-label'],
  th: ['scope'],
  svg: ['role', 'viewBox', 'aria-labelledby', 'aria-describedby'],
  title: ['id'],
  desc: ['id'],
  text: ['x', 'y'],
  rect: ['class', 'x', 'y', 'width', 'height', 'fill'],
  path: ['class', 'd', 'fill', 'stroke', 'stroke-width'],
}
const plain =
  'head style header h1 b main table caption thead tbody tr td figure figcaption footer dl dt dd code mark'
const tags = [...Object.keys(attributes), ...plain.split(' ')]
const sanitized = (markup: string): string =>
  sanitizeHtml(markup, {
    allowedTags: tags,
    allowedAttributes: attributes,
    allowedSchemes: [],
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

describe('the HTML workflow', () => {
  it('is inert, whatever stands in it, and a sanitizer finds nothing to take away', () => {
    fc.assert(
      fc.property(hostileInput, (input) => {
        const markup = renderWorkflowHtml(input)
        const all = elements(markup)
        const ids = all.flatMap((element) => attribute(element, 'id') ?? [])
        expect(new Set(ids).size).toBe(ids.length)
        for (const element of all) {
          expect(tags).toContain(element.tagName)
          for (const { name, value } of element.attrs) {
            expect(name).not.toMatch(/^on|:|^(?:src|style|action)/)
            expect(value).not.toMatch(/url\(/i)
            if (name === 'href') expect(ids).toContain(value.slice(1))
          }
        }
        const [style, ...others] = all.filter(({ tagName }) => tagName === 'style')
        expect(others).toEqual([])
        expect(style && tree(style)).toBe(`<style>${stylesheet}</>`)
        expect(markup).not.toMatch(
          // eslint-disable-next-line no-control-regex
          /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/,
        )
        expect(tree(parse(sanitized(markup)))).toBe(tree(parse(markup)))
      }),
      { numRuns: 100 },
    )
  })

  it('has its parts in their order, with titles, inputs, outputs, dependencies and scores', () => {
    const markup = renderWorkflowHtml(
      workflowRenderInput(workflowPackage({ modules: [fixtureModule] })),
    )
    const headings = elements(markup).filter(({ tagName }) => /^h[12]$/.test(tagName))
    expect(headings.map(textOf)).toEqual([
      'Supplier onboarding',
      'In brief',
      'Roles and inputs',
      '1. Take suppliers in',
      '2. Audit the sheets',
      'Modules',
      'Dependencies',
      'Method and score',
      'Provenance',
    ])
    const text = page(markup)
    for (const part of [
      'Weekly workflow · Harbour Ltd',
      '2 tasks · conformance 1.00',
      'Needs Result of file (1.1) · Gives Result of call',
      'Done when The log names who finished call.',
      'registered module data-sheet-check',
      'Open the sheet of each substance.',
      'M3 Safety data sheet check: depends on M2.',
      'Depends on M1',
      'Conformance 1.00 of 1',
      'non_operational_output',
    ])
      expect(text).toContain(part)
    expect(markup).not.toMatch(/<script|<form|https?:/)
  })

  it('shows sub-phases under the phase that was expanded, each with its tasks', () => {
    const markup = renderWorkflowHtml(workflowRenderInput(workflowPackage(), expandedWorkflow()))
    const all = elements(markup)
    const shown = (names: RegExp) => all.filter(({ tagName }) => names.test(tagName)).map(textOf)
    expect(shown(/^h[234]$/).slice(2, 13)).toEqual([
      '1. Take suppliers in',
      '1.1 Onboard chemical suppliers by their files',
      '1.2 Call the bank of each supplier',
      '2. Audit the sheets',
      '2.1 Audit the sheets, part 1',
      '2.1.1 Collect the safety data sheets',
      '2.2 Audit the sheets, part 2',
      '2.2.1 Audit each sheet within 30 days',
      'Modules',
      'M1 Intake',
      'M2 Verdict, part 1 of 2',
    ])
    const sections = all.filter(({ tagName }) => tagName === 'section')
    const outer = sections.find((section) => attribute(section, 'id') === 'p2')
    expect(outer && textOf(outer)).toContain('2 sub-phases')
    expect(outer && textOf(outer)).toContain('2.2.1 Audit each sheet')
    expect(page(markup)).toContain('Needs Result of collect (2.1.1)')
  })

  it('writes steps as the style asks: numbered, to tick off, or as text', () => {
    const input = workflowRenderInput(workflowPackage())
    const listsOf = (form: WorkflowContent['form']) => {
      const all = elements(renderWorkflowHtml({ ...input, content: { ...input.content, form } }))
      return all.flatMap((element) => attribute(element, 'class') ?? [])
    }
    expect(listsOf('steps')).toContain('steps')
    expect(listsOf('checklist')).toContain('ticks')
    expect(listsOf('narrative')).not.toContain('steps')
  })
})

describe('the Markdown workflow', () => {
  it('holds no live markup but its own, whatever stands in it', () => {
    fc.assert(
      fc.property(hostileInput, (input) => {
        const text = renderWorkflowMarkdown(input)
        const [before = '', graph = '', after = '', ...more] = text.split(/^```(?:mermaid)?$/m)
        expect(more).toEqual([])
        expect(graph).toMatch(/^\nflowchart LR\n/)
        for (const line of graph.trim().split('\n').slice(1))
          expect(line).toMatch(
            /^(?: {2})+(?:subgraph p\d+\["[^"[\]{}<>;#&|`\\]+"\]|end|m\d+ --> m\d+|m\d+\[{1,2}"[^"[\]{}<>;#&|`\\]+"\]{1,2})$/,
          )
        for (const line of `${before}${after}`.split('\n')) {
          expect(line).not.toMatch(/(?<!\\)<[a-z/!]/i)
          expect(line.replace(/^- \[ \] /, '')).not.toMatch(/(?<!\\)\]\(/)
        }
      }),
      { numRuns: 100 },
    )
  })

  it('shows sub-phases under the phase that was expanded, in text and chart', () => {
    const text = renderWorkflowMarkdown(workflowRenderInput(workflowPackage(), expandedWorkflow()))
    expect(text.match(/^#+ [\d.\\]+ .*$/gm)).toEqual([
      '## 1\\. Take suppliers in',
      '### 1.1 Onboard chemical suppliers by their files',
      '### 1.2 Call the bank of each supplier',
      '## 2\\. Audit the sheets',
      '### 2.1 Audit the sheets, part 1',
      '#### 2.1.1 Collect the safety data sheets',
      '### 2.2 Audit the sheets, part 2',
      '#### 2.2.1 Audit each sheet within 30 days',
    ])
    const chart = /^```mermaid\n([\s\S]*?)\n```$/m.exec(text)?.[1]?.split('\n')
    expect(chart?.slice(4, 12)).toEqual([
      '  subgraph p2["Audit the sheets"]',
      '    subgraph p3["Audit the sheets, part 1"]',
      '      m2["Verdict, part 1 of 2"]',
      '    end',
      '    subgraph p4["Audit the sheets, part 2"]',
      '      m3["Verdict, part 2 of 2"]',
      '    end',
      '  end',
    ])
  })

  it('shows everything that the page shows', () => {
    const text = renderWorkflowMarkdown(workflowRenderInput(workflowPackage()))
    for (const part of [
      '- [ ] Call the bank of each supplier, and write down who did it on which day.',
      '- Needs: Result of file (from 1.1)',
      '- Gives: Result of call',
      '- Depends on: M1 Intake',
      '  m1 --> m2',
      '| Whole workflow | 1.00 | 1.00 |',
    ])
      expect(text).toContain(part)
  })
})

describe('the same input', () => {
  it('gives the same bytes and scores, whatever the time zone and language of the process', () => {
    const at = (path: string) => JSON.stringify(new URL(path, import.meta.url).href)
    const script = `
      import { workflowKind as kind } from ${at('../workflow-kind.ts')}
      import { workflowPackage } from ${at('../../fixtures/workflow-package.ts')}
      import { workflowRenderInput } from ${at('../../fixtures/workflow.ts')}
      const runPackage = workflowPackage({ audience: 'INSTALLERS in Iğdır', title: 'İstanbul ılık' })
      const input = workflowRenderInput(runPackage)
      const prompts = kind.calls(runPackage).map((call) => kind.prompt(runPackage, call, []))
      process.stdout.write(JSON.stringify([prompts, ...Object.values(kind.render).map((f) => f(input))]))`
    const run = (env: Record<string, string>) =>
      execFileSync(process.execPath, ['--input-type=module', '--eval', script], {
        env: { ...process.env, ...env },
        encoding: 'utf8',
        maxBuffer: 16_000_000,
      })
    const here = run({ TZ: 'UTC', LANG: 'C', LC_ALL: 'C' })
    expect(run({ TZ: 'Pacific/Kiritimati', LANG: 'tr_TR.UTF-8', LC_ALL: 'tr_TR.UTF-8' })).toBe(here)
    expect(run({ TZ: 'America/Los_Angeles', LANG: 'ar_EG.UTF-8', LC_ALL: 'ar_EG.UTF-8' })).toBe(
      here,
    )
  })
})
