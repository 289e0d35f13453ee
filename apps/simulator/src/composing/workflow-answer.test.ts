import { describe, expect, it } from 'vitest'
import {
  workflowPackage,
  fixtureModule,
} from '../../../../packages/documents/src/fixtures/workflow-package.ts'
import { workflowKind as kind } from '../../../../packages/documents/src/workflow/workflow-kind.ts'
import { readSchema } from '../json-schema/read.ts'
import { seededNumbers } from '../seeded.ts'
import { workflowAnswer } from './workflow-answer.ts'

const runPackage = workflowPackage({
  modules: [fixtureModule],
  purpose: 'Inspect the <b>cranes</b> of the harbour [before](x) storms',
})

/** What the simulator answers to each call, as the pipeline would put it. */
function answers(seed: string) {
  return kind.calls(runPackage).map((call) => {
    const { instructions, input } = kind.prompt(runPackage, call, [])
    const schema = kind.callSchema?.(runPackage, call)
    return workflowAnswer(
      [instructions, input],
      readSchema(schema, { strict: true }),
      seededNumbers(seed),
    )
  })
}

describe('the answer to a workflow', () => {
  it('is the phase that the schema asks for, and the phases make a document without error', () => {
    for (const seed of ['1', '2', '3']) {
      const { content, findings } = kind.read(runPackage, answers(seed))
      expect(findings).toEqual([])
      if (!content) continue
      const found = kind.validate(content, runPackage)
      expect(found.filter(({ severity }) => severity === 'error')).toEqual([])
      expect(content.modules.at(-1)?.registered).toBe(fixtureModule.key)
    }
  })

  it('is decided by the seed', () => {
    expect(answers('1')).toEqual(answers('1'))
    expect(answers('1')).not.toEqual(answers('2'))
  })

  it('is nothing where the input holds no workflow, or nothing fits the schema', () => {
    const schema = readSchema({ type: 'object', properties: {} }, { strict: false })
    expect(workflowAnswer(['no package here'], schema, seededNumbers('1'))).toBeUndefined()
    const other = readSchema({ type: 'string' }, { strict: false })
    const [call] = kind.calls(runPackage)
    const { input } = kind.prompt(runPackage, call!, [])
    expect(workflowAnswer([input], other, seededNumbers('1'))).toBeUndefined()
  })
})
