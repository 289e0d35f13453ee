import { canonicalJson } from '@almanac/domain'
import { expect, it } from 'vitest'
import { fixturePackage } from '../../../../packages/documents/src/fixtures/package.ts'
import type { Call } from '../../../../packages/documents/src/index.ts'
import {
  judgeBrief,
  judgeRequest,
  readJudgement,
} from '../../../../packages/documents/src/judge/judge-request.ts'
import { readSchema } from '../json-schema/read.ts'
import { judgeAnswer } from './judge-answer.ts'

const runPackage = fixturePackage()
const checks = Array.from({ length: 20 }, (_, i) => ({ id: `c${i}`, question: `Is ${i} there?` }))

/** What the simulator answers to the checks, as the pipeline would put them. */
function answers(asked = checks, document = '{"summary":[]}', seed = '1') {
  const call: Call = { kind: 'judge', n: 1, brief: judgeBrief, inputHashes: [] }
  const { prompt, jsonSchema } = judgeRequest(runPackage, call, [document, canonicalJson(asked)])
  const texts = [prompt.instructions, prompt.input]
  const answer = judgeAnswer(texts, readSchema(jsonSchema, { strict: true }), seed)
  const read = readJudgement(answer, asked)
  if (!read) throw new Error(`${JSON.stringify(answer)} answers not each check once`)
  return asked.map(({ id }) => [id, read.get(id)?.holds])
}

it('answers every check, most with yes, the same in whatever order they are asked', () => {
  const given = answers()
  expect(answers(checks.toReversed()).toReversed()).toEqual(given)
  const held = given.filter(([, holds]) => holds === true)
  expect(held.length).toBeGreaterThan(10)
  expect(held.length).toBeLessThan(20)
})

it('lets seed and document decide', () => {
  expect(answers(checks, '{"summary":[1]}')).not.toEqual(answers())
  expect(answers(checks, undefined, '2')).not.toEqual(answers())
})

it('is nothing where the input holds no checks', () => {
  const schema = readSchema({ type: 'object' }, { strict: false })
  expect(judgeAnswer(['no checks here'], schema, '1')).toBeUndefined()
})
