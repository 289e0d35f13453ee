import { describe, expect, it } from 'vitest'
import {
  workflowPackage,
  fixtureModule,
} from '../../../../packages/documents/src/fixtures/workflow-package.ts'
import { workflowKind as kind } from '../../../../packages/documents/src/workflow/workflow-kind.ts'
import type { Call } from '../../../../packages/documents/src/kind.ts'
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

  it('is the sub-phases of the phase that the task names, and they take its place', () => {
    const { content } = kind.read(runPackage, answers('1'))
    if (!content) throw new Error('there is no workflow')
    const parts = kind.expansion?.parts(content, { above: 5, most: 9, tried: [] }) ?? []
    expect(parts.length).toBeGreaterThan(0)
    for (const { id, brief } of parts) {
      const call: Call = { kind: 'expand', n: 1, part: id, brief, inputHashes: [] }
      const { instructions, input } = kind.prompt(runPackage, call, [JSON.stringify(content)])
      const schema = readSchema(kind.callSchema?.(runPackage, call), { strict: true })
      const answer = workflowAnswer([instructions, input], schema, seededNumbers('1'))
      const replaced = kind.expansion?.replace(runPackage, content, call, answer)
      expect(replaced?.findings).toEqual([])
      expect(replaced?.content && kind.validate(replaced.content, runPackage)).toEqual(
        kind.validate(content, runPackage),
      )
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
