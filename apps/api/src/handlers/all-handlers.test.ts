import { describe, expect, it } from 'vitest'
import { routes, type Operation } from '@almanac/domain'
import type { Change, Handlers, JsonAnswer } from '../binding/route-handler.ts'
import { allHandlers } from './all-handlers.ts'

describe('handlers', () => {
  it('are there for every operation, and no other', () => {
    const handlers = allHandlers({} as never, {} as never, {} as never)
    expect(Object.keys(handlers).sort()).toEqual(Object.keys(routes).sort())
    for (const [operation, handler] of Object.entries(handlers)) {
      const { idempotent } = routes[operation as Operation]
      expect(typeof handler, operation).toBe(idempotent ? 'object' : 'function')
    }
  })

  it('do not compile when one is missing, or answers something else', () => {
    const all = {} as Handlers
    const { getRun, ...others } = all
    // @ts-expect-error a handler is missing
    const missing: Handlers = others
    // @ts-expect-error it answers a run with something that is none
    const wrong: Handlers = { ...all, getRun: () => Promise.resolve({ body: { id: 7 } }) }
    // @ts-expect-error what may be repeated has to say what belongs in its transaction
    const unsafe: Handlers = { ...all, createRun: getRun }
    // @ts-expect-error the answer of an import is not a list
    const answer: JsonAnswer<{ data: [] }> = {} as Awaited<ReturnType<Handlers['importEvidence']>>
    const change: Change<'createRun'> = all.createRun
    expect([missing, wrong, unsafe, answer, change]).toHaveLength(5)
  })
})
