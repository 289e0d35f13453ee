import { describe, expect, it } from 'vitest'
import { readSchema } from '../../../../apps/simulator/src/json-schema/read.ts'
import { fits } from '../../../../apps/simulator/src/json-schema/fits.ts'
import { fixtureModule, workflowPackage } from '../fixtures/workflow-package.ts'
import { workflowFixtureDraft } from '../fixtures/workflow.ts'
import type { Call } from '../kind.ts'
import { makingPhases, phaseFields, workflowCalls } from './calls.ts'
import { workflowCallSchema } from './json-schema.ts'
import { workflowPrompt } from './prompt.ts'
import type { WorkflowDraft } from './schema.ts'

const packages = [workflowPackage(), workflowPackage({ modules: [fixtureModule] })]
const repair: Call = { kind: 'repair', n: 1, brief: 'Correct it.', inputHashes: [] }

describe.each(packages)('the schema of a workflow', (runPackage) => {
  const draft = workflowFixtureDraft(runPackage)
  const schemaOf = (call: Call) =>
    readSchema(workflowCallSchema(runPackage, call), { strict: true })

  it('obeys the rules of strict structured output, whole and in parts, and a draft fits it', () => {
    expect(fits(schemaOf(repair), draft)).toBe(true)
    workflowCalls.forEach((call, i) => {
      const fields = phaseFields[makingPhases[i] ?? 'initialize']
      const part = Object.fromEntries(
        fields.map((field) => [field, draft[field as keyof WorkflowDraft]]),
      )
      expect(fits(schemaOf(call), part)).toBe(true)
      expect(fits(schemaOf(call), draft)).toBe(false)
    })
  })

  it('lets a module be a registered one of the specification, and no other', () => {
    const keys = runPackage.modules?.map(({ key }) => key) ?? []
    for (const registered of [...keys, null, 'stranger']) {
      const modules = draft.modules.map((module) => ({ ...module, registered }))
      const allowed = registered === null || keys.includes(registered)
      expect(fits(schemaOf(repair), { ...draft, modules })).toBe(allowed)
    }
  })
})

describe('the prompt of a phase', () => {
  const [runPackage] = packages as [ReturnType<typeof workflowPackage>]

  it('carries the whole package and the answers of the phases before, fenced', () => {
    const call = workflowCalls[2]
    if (!call) throw new Error('no call')
    const { input, instructions } = workflowPrompt(runPackage, call, [
      '{"outline":1}',
      '{"tasks":[]}',
    ])
    expect(input.match(/^BEGIN DATA [0-9a-f]{16} \(.*\)$/gm)).toHaveLength(3)
    expect(input).toContain('(input 2 of 2)\n{"tasks":[]}\nEND DATA')
    expect(input).toContain('"purpose":"Onboard new chemical suppliers')
    expect(input).toMatch(/\n\nTask: Phase modularize: .*Answer only the modules\.$/)
    expect(instructions).toContain('nothing else: modules.')
    expect(
      workflowPrompt(structuredClone(runPackage), { ...call }, ['{"outline":1}', '{"tasks":[]}']),
    ).toEqual({ input, instructions })
  })
})
