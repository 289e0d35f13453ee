import type { ChainStore } from '@almanac/pipeline'
import type { LeaderLoopWork } from '../loop.ts'

/** Events that one pass links. */
const batch = 1_000

/** Links new audit events into their tenants' hash chains, within a second of their making. */
export const chain = ({ chain: store }: { chain: ChainStore }): LeaderLoopWork => ({
  name: 'chain',
  everyMs: 500,
  pass: async () => (await store.link(batch)) >= batch,
})
