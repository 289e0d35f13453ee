import type { SpendGate } from '@almanac/pipeline'
import type { LoopWork } from './loop.ts'

/**
 * Reads, twice a second, what operators have stopped and resumed: no call begins in this process longer
 * than that after a stop. Calls under way are left to end, so that what they cost is known.
 */
export const watchSpending = (spending: Pick<SpendGate, 'refresh'>): LoopWork => ({
  name: 'spending',
  everyMs: 500,
  pass: async () => {
    await spending.refresh()
    return false
  },
})
