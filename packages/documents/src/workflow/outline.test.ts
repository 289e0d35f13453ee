import { expect, it } from 'vitest'
import { fixtureModule, workflowPackage } from '../fixtures/workflow-package.ts'
import { fixtureWorkflow } from '../fixtures/workflow.ts'
import { composeWorkflowOutline, workflowOutline } from './outline.ts'

const content = fixtureWorkflow(workflowPackage({ modules: [fixtureModule] }))

it('an outline read back is the workflow', () => {
  expect(composeWorkflowOutline(workflowOutline(content))).toEqual(content)
})

it('has an element a phase, task and module, each with the path to it', () => {
  const outline = workflowOutline(content)
  expect(outline.map(({ id, path, parentId }) => [id, path, parentId])).toEqual([
    ['metadata', '', null],
    ['phase:onboard', '/phases/0', null],
    ['task:file', '/phases/0/tasks/0', 'phase:onboard'],
    ['task:call', '/phases/0/tasks/1', 'phase:onboard'],
    ['phase:audit', '/phases/1', null],
    ['task:collect', '/phases/1/tasks/0', 'phase:audit'],
    ['task:judge', '/phases/1/tasks/1', 'phase:audit'],
    ['module:intake', '/modules/0', null],
    ['module:verdict', '/modules/1', null],
    ['module:use-data-sheet-check', '/modules/2', null],
  ])
  expect(outline[0]?.value).toMatchObject({ id: content.id, version: '1' })
})
