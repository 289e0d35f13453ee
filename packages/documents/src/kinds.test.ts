import { describe, expect, it } from 'vitest'
import { industryByHash } from './fixtures/industry.ts'
import { fixturePackage } from './fixtures/package.ts'
import { fixtureDraft, renderInput } from './fixtures/report.ts'
import { workflowPackage } from './fixtures/workflow-package.ts'
import { workflowFixtureDraft } from './fixtures/workflow.ts'
import { callKey } from './kind.ts'
import { createKinds } from './kinds.ts'

const kinds = createKinds({ industryByHash })

describe('the registry of document kinds', () => {
  it('gives a kind that judges and renders what it has read, and what comes back as JSON', () => {
    const report = kinds.get('report')
    const runPackage = fixturePackage()
    const { content } = report.read(runPackage, [fixtureDraft(runPackage)])
    if (content === undefined) throw new Error('no content')
    const stored = report.parse(JSON.parse(JSON.stringify(content)))
    expect(stored).toEqual(content)
    for (const document of [content, stored]) {
      expect(report.validate(document, runPackage)).toEqual([])
      expect(report.evaluate(document, runPackage, []).score).toBe(1)
      const input = { ...renderInput(runPackage), content: document }
      expect(report.render.markdown(input)).toContain('# Harbour regulation weekly')
    }
  })

  it('parses what is not its own, and refuses what is no report', () => {
    const report = kinds.get('report')
    expect(() => report.parse({ kind: 'workflow' })).toThrow()
    expect(() => report.validate({ kind: 'report' }, fixturePackage())).toThrow()
    expect(() => report.evaluate('text', fixturePackage(), [])).toThrow()
  })

  it('gives a workflow too', () => {
    const workflow = kinds.get('workflow')
    const runPackage = workflowPackage()
    const { content } = workflow.read(runPackage, [workflowFixtureDraft(runPackage)])
    if (content === undefined) throw new Error('no content')
    expect(workflow.validate(content, runPackage)).toEqual([])
    expect(workflow.compose(workflow.outline(content))).toEqual(content)
    expect(() => workflow.parse({ kind: 'report' })).toThrow()
  })
})

describe('callKey', () => {
  it('names a call within its run', () => {
    const call = { brief: '', inputHashes: [], n: 2 }
    expect(callKey({ ...call, kind: 'repair' })).toBe('repair:2')
    expect(callKey({ ...call, kind: 'phase', part: 'how-to' })).toBe('phase:2:how-to')
  })
})
