import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { workflowPackage } from '../fixtures/workflow-package.ts'
import { fixtureWorkflow, workflowFixtureDraft } from '../fixtures/workflow.ts'
import { phaseFields } from './calls.ts'
import { readWorkflow } from './read.ts'
import { workflowContent, type WorkflowDraft } from './schema.ts'

const runPackage = workflowPackage()
const draft = () => workflowFixtureDraft(runPackage)
const parts = (whole: WorkflowDraft) =>
  Object.values(phaseFields).map((fields) =>
    Object.fromEntries(fields.map((field) => [field, whole[field as keyof WorkflowDraft]])),
  )

describe('reading a workflow', () => {
  it('reads three answers and one alike, as values or as text', () => {
    const whole = readWorkflow(runPackage, [draft()])
    expect(whole.findings).toEqual([])
    expect(readWorkflow(runPackage, parts(draft()))).toEqual(whole)
    expect(
      readWorkflow(
        runPackage,
        parts(draft()).map((part) => JSON.stringify(part)),
      ),
    ).toEqual(whole)
    expect(workflowContent.parse(JSON.parse(JSON.stringify(whole.content)))).toEqual(whole.content)
  })

  it('takes metadata from the specification, and an id that can be a file name from it and the period', () => {
    const { id, metadata, version } = fixtureWorkflow(runPackage)
    expect(id).toMatch(/^supplier-onboarding-2022-w10-[0-9a-f]{8}$/)
    expect(version).toBe('1')
    expect(metadata).toEqual({
      title: 'Supplier onboarding',
      purpose: 'Onboard new chemical suppliers and audit their safety data sheets within 30 days',
      audience: 'Procurement officers and plant safety engineers',
      style: 'Plain checklist',
    })
    const other = workflowPackage({ purpose: 'Something else', style: 'Terse' })
    expect(readWorkflow(other, [draft()]).content?.id).toBe(id)
    expect(fixtureWorkflow(workflowPackage({ periodKey: null })).id).toMatch(
      /^supplier-onboarding-2022-03-14-/,
    )
  })

  it('makes a safe id of any title', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 1, maxLength: 160 }), (title) => {
        const one = { ...runPackage, specification: structuredClone(runPackage.specification) }
        one.specification.body.title = title
        expect(fixtureWorkflow(one).id).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*$/)
      }),
    )
  })

  it('names what is wrong, with the phase that said it', () => {
    const [outline, , modules] = parts(draft())
    const wrong = readWorkflow(runPackage, [outline, { tasks: 'many' }, modules])
    expect(wrong.content).toBeUndefined()
    expect(wrong.findings).toEqual([
      expect.objectContaining({ code: 'SCHEMA_INVALID', path: '/tasks', found: '"many"' }),
    ])
    expect(wrong.findings[0]?.message).toMatch(/^phase how-to: /)
    expect(readWorkflow(runPackage, [1, 2]).findings[0]?.message).toContain(
      'the answers of its phases',
    )
  })

  it('refuses blank texts, keys that are none, and tasks of no phase', () => {
    const given = draft()
    const [first, second] = given.tasks
    if (!first || !second) throw new Error('no tasks')
    first.done = ' \n '
    second.key = '../etc'
    const keys = readWorkflow(runPackage, [given]).findings.map(({ path, code }) => [code, path])
    expect(keys).toEqual([
      ['SCHEMA_INVALID', '/tasks/0/done'],
      ['SCHEMA_INVALID', '/tasks/1/key'],
    ])
    const stray = draft()
    for (const task of stray.tasks.slice(0, 1)) task.phase = 'nowhere'
    expect(readWorkflow(runPackage, [stray]).findings).toEqual([
      expect.objectContaining({
        code: 'UNKNOWN_REFERENCE',
        path: '/tasks/0/phase',
        found: 'nowhere',
      }),
    ])
  })

  it('never throws, whatever the engine answers', () => {
    fc.assert(
      fc.property(
        fc.array(fc.anything({ withNullPrototype: true }), { maxLength: 4 }),
        (answers) => {
          const { content, findings } = readWorkflow(runPackage, answers)
          expect(content === undefined).toBe(findings.length > 0)
        },
      ),
    )
  })
})
