import { stageNames } from '@almanac/domain'
import { expect, expectTypeOf, it } from 'vitest'
import { z } from 'zod'
import { pipeline } from './pipeline.ts'
import { definePipeline, defineStage, type InOrder } from './stage.ts'

const first = defineStage({
  name: 'retrieve',
  tries: 1,
  timeoutMs: 1,
  input: {},
  output: z.object({ word: z.string() }),
  run: async (_input, _ports: object) => Promise.resolve({ word: 'x' }),
})
const second = defineStage({
  name: 'cadence',
  tries: 1,
  timeoutMs: 1,
  input: { retrieve: z.object({ word: z.string() }) },
  output: z.null(),
  run: async ({ retrieve }, _ports: object) => {
    expectTypeOf(retrieve.word).toEqualTypeOf<string>()
    return Promise.resolve(null)
  },
})
const greedy = defineStage({
  name: 'cadence',
  tries: 1,
  timeoutMs: 1,
  input: { retrieve: z.object({ number: z.number() }) },
  output: z.null(),
  run: async (_input, _ports: object) => Promise.resolve(null),
})

it('takes stages in their order', () => {
  expect(definePipeline(['retrieve', 'cadence'], [first, second])).toHaveLength(2)
  expect(pipeline.map(({ name }) => name)).toEqual(stageNames)
})

it('does not compile in another order, with a stage missing, or without what a stage reads', () => {
  // @ts-expect-error a stage stands in the wrong place
  definePipeline(['retrieve', 'cadence'], [second, first])
  // @ts-expect-error stages are missing
  definePipeline(['retrieve', 'cadence'], [first])
  // @ts-expect-error the second stage reads what the first does not give
  definePipeline(['retrieve', 'cadence'], [first, greedy])
  expectTypeOf<InOrder<[typeof first, typeof greedy], ['retrieve', 'cadence']>>().toEqualTypeOf<{
    error: 'this stage reads what no earlier stage gives'
    stage: 'cadence'
  }>()
})

it('has one stage that concludes, and only its aftermath after it', () => {
  const roles = pipeline.map(({ role }) => role)
  expect(roles.filter((role) => role === 'conclude')).toHaveLength(1)
  expect(roles.indexOf('aftermath')).toBe(roles.indexOf('conclude') + 1)
})
