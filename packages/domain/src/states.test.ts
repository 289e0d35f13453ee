import { describe, expect, it } from 'vitest'
import { canMove, isTerminal, runStates, statePresentation, transitions } from './states.ts'

describe('run states', () => {
  it('have exactly the moves of the architecture', () => {
    const moves = Object.entries(transitions).flatMap(([from, to]) =>
      to.map((t) => `${from} → ${t}`),
    )
    expect(moves).toEqual([
      'queued → running',
      'queued → blocked',
      'queued → failed',
      'queued → cancelled',
      'running → queued',
      'running → parked',
      'running → succeeded',
      'running → failed',
      'running → blocked',
      'running → cancelling',
      'parked → queued',
      'parked → blocked',
      'parked → failed',
      'parked → cancelled',
      'cancelling → cancelled',
    ])
  })

  it('are terminal when nothing follows', () => {
    expect(runStates.filter(isTerminal)).toEqual(['succeeded', 'failed', 'blocked', 'cancelled'])
    for (const from of runStates.filter(isTerminal))
      for (const to of runStates) expect(canMove(from, to)).toBe(false)
  })

  it('are each shown by a word and a silhouette of their own', () => {
    const shown = runStates.map((state) => statePresentation[state])
    expect(new Set(shown.map(({ word }) => word)).size).toBe(runStates.length)
    expect(new Set(shown.map(({ glyph }) => glyph)).size).toBe(runStates.length - 1)
  })
})
