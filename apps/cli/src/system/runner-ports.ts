import { createPorts, rememberRuns } from '@almanac/db'
import { createKinds } from '@almanac/documents'
import { findIndustryByHash, getIndustry, industryHash } from '@almanac/industries'
import { rememberContent, type Engine, type Ports } from '@almanac/pipeline'
import { randomIds, systemClock } from '@almanac/runtime'
import type { OpenDatabase } from './database.ts'

/** Characters of content, in thousands, that a process remembers: what it stored it need not read. */
const rememberedKilochars = 10_000

/** The parts that packages are made of, put together: the only place where they meet. */
export function createRunnerPorts(
  { db, codec }: Pick<OpenDatabase, 'db' | 'codec'>,
  engine: Engine,
) {
  const stored = createPorts(db, { codec })
  return {
    ...stored,
    ...rememberRuns(stored),
    content: rememberContent(stored.content, rememberedKilochars),
    clock: systemClock,
    ids: randomIds,
    industries: { get: getIndustry, hash: industryHash },
    kinds: createKinds({ industryByHash: findIndustryByHash }),
    engine,
    rates: unlimitedRates,
    identity: { workerId: randomIds.next('worker') },
  }
}

/** The offline engine has no provider whose rates could be passed. */
const unlimitedRates: Ports['rates'] = { take: () => Promise.resolve({ granted: true }) }
