import type { SpendGate } from '../ports.ts'

/** Nothing is ever stopped: for tests of other things. */
export const unstoppedSpending: SpendGate = {
  check: () => Promise.resolve({ open: true, probe: false }),
  billingStopped: () => Promise.resolve(),
  probed: () => Promise.resolve(),
  spending: (_provider, tenantIds) => new Set(tenantIds),
  refresh: () => Promise.resolve(),
}
