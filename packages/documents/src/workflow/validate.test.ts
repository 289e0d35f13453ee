import { describe, expect, it } from 'vitest'
import { fixtureModule, workflowPackage } from '../fixtures/workflow-package.ts'
import { fixtureWorkflow, workflowContentOf, workflowFixtureDraft } from '../fixtures/workflow.ts'
import type { WorkflowDraft } from './schema.ts'
import { validateWorkflow } from './validate.ts'

const runPackage = workflowPackage()

/** The findings of the clean draft after `change`, as code, severity and path. */
function found(change: (draft: WorkflowDraft) => void, given = runPackage) {
  const draft = workflowFixtureDraft(given)
  change(draft)
  return validateWorkflow(workflowContentOf(given, draft), given).map(
    ({ code, severity, path }) => `${code} ${severity} ${path}`,
  )
}
const at = <T>(list: readonly T[], i: number): T => {
  const one = list[i]
  if (one === undefined) throw new Error(`no element ${i}`)
  return one
}

describe('a workflow', () => {
  it('without fault has no finding, with registered modules too', () => {
    expect(found(() => undefined)).toEqual([])
    expect(found(() => undefined, workflowPackage({ modules: [fixtureModule] }))).toEqual([])
  })

  it.each<[string, (draft: WorkflowDraft) => void, string[]]>([
    [
      'a role that is not there',
      (draft) => (at(draft.tasks, 0).role = 'nobody'),
      ['UNKNOWN_REFERENCE error /phases/0/tasks/0/role'],
    ],
    [
      'an input that nobody makes',
      (draft) => at(draft.tasks, 2).inputs.push('thin-air'),
      ['UNKNOWN_REFERENCE error /phases/1/tasks/0/inputs/1'],
    ],
    [
      'a task that needs its own result',
      (draft) => at(draft.tasks, 0).inputs.push('file-result'),
      ['DEPENDENCY_CYCLE error /phases/0/tasks/0/inputs'],
    ],
    [
      'tasks that wait for each other over phases',
      (draft) => at(draft.tasks, 0).inputs.push('judge-result'),
      [
        'DEPENDENCY_CYCLE error /phases/0/tasks/0/inputs',
        'UNKNOWN_REFERENCE warning /modules/0/dependsOn',
      ],
    ],
    [
      'modules that wait for each other',
      (draft) => at(draft.modules, 0).dependsOn.push('verdict'),
      ['DEPENDENCY_CYCLE error /modules/0/dependsOn'],
    ],
    [
      'a module that depends on nobody',
      (draft) => at(draft.modules, 1).dependsOn.push('ghost'),
      ['UNKNOWN_REFERENCE error /modules/1/dependsOn/1'],
    ],
    [
      'a module that forgets what it needs',
      (draft) => (at(draft.modules, 1).dependsOn = []),
      ['UNKNOWN_REFERENCE warning /modules/1/dependsOn'],
    ],
    [
      'a task in no module',
      (draft) => at(draft.modules, 0).tasks.pop(),
      ['MISSING_SECTION error /phases/0/tasks/1', 'UNKNOWN_REFERENCE warning'].slice(0, 1),
    ],
    [
      'a task in two modules',
      (draft) => at(draft.modules, 1).tasks.push('file'),
      ['UNKNOWN_REFERENCE error /modules/1/tasks/2', 'DUPLICATE_ITEM error /phases/0/tasks/0'],
    ],
    [
      'a registered module that the package does not hold',
      (draft) => (at(draft.modules, 1).registered = 'stranger'),
      ['UNKNOWN_REFERENCE error /modules/1/registered', 'MISSING_SECTION error /modules/1/tasks'],
    ],
    [
      'a task without steps, inputs and outputs',
      (draft) => Object.assign(at(draft.tasks, 3), { steps: [], inputs: [], outputs: [] }),
      [
        'MISSING_SECTION error /phases/1/tasks/1/steps',
        'MISSING_SECTION error /phases/1/tasks/1/inputs',
        'MISSING_SECTION error /phases/1/tasks/1/outputs',
      ],
    ],
    [
      'a step that another task says in other order',
      (draft) =>
        (at(draft.tasks, 1).steps = [
          'Write down who did it on which day, and onboard chemical suppliers by their files.',
        ]),
      ['DUPLICATE_ITEM error /phases/0/tasks/1/steps/0'],
    ],
    [
      'two things of one id',
      (draft) => (at(draft.inputs, 0).key = 'officer'),
      ['UNKNOWN_REFERENCE error /phases/0/tasks/0/inputs/0', 'DUPLICATE_ITEM error /inputs/0'],
    ],
    [
      'a step that is too long',
      (draft) => at(draft.tasks, 0).steps.push('word '.repeat(120)),
      ['TOO_LONG error /phases/0/tasks/0/steps/1'],
    ],
    [
      'markup and unseen characters',
      (draft) => {
        at(draft.tasks, 0).done = 'Click <script>alert(1)</script>'
        at(draft.roles, 0).name = 'Procurement \u202e officer'
      },
      ['UNSAFE_TEXT error /roles/0/name', 'UNSAFE_TEXT warning /phases/0/tasks/0/done'],
    ],
  ])('finds %s', (_, change, expected) => {
    const all = found(change)
    for (const one of expected) expect(all).toContain(one)
    expect(all.every((one) => expected.includes(one) || one.includes('warning'))).toBe(true)
  })

  it('must use every registered module that its specification names', () => {
    const given = workflowPackage({ modules: [fixtureModule] })
    expect(found((draft) => draft.modules.pop(), given)).toEqual(['MISSING_SECTION error /modules'])
  })

  it('is not there when it is empty', () => {
    const empty = (draft: WorkflowDraft) =>
      Object.assign(draft, { roles: [], phases: [], tasks: [], modules: [] })
    expect(found(empty)).toEqual([
      'MISSING_SECTION error /roles',
      'MISSING_SECTION error /phases',
      'MISSING_SECTION error /modules',
    ])
  })

  it('says what stands where, and what is expected', () => {
    const draft = workflowFixtureDraft(runPackage)
    at(draft.tasks, 2).inputs = ['thin-air']
    const [first] = validateWorkflow(workflowContentOf(runPackage, draft), runPackage)
    expect(first).toMatchObject({
      message: 'the task collect needs "thin-air", which is not there',
      expected: 'applications, file-result, call-result, collect-result, judge-result',
      found: 'thin-air',
    })
    expect(fixtureWorkflow(runPackage).phases).toHaveLength(2)
  })
})
