import {
  createPorts,
  createSpendGate,
  createVariantLedger,
  rememberRuns,
  rememberSpecifications,
} from '@almanac/db'
import { createKinds } from '@almanac/documents'
import { findIndustryByHash, getIndustry, industryHash } from '@almanac/industries'
import {
  noJudge,
  rememberContent,
  unlimitedRates,
  type Engine,
  type Ports,
} from '@almanac/pipeline'
import type { BudgetMirror } from '@almanac/queue'
import { randomIds, systemClock } from '@almanac/runtime'
import type { OpenDatabase } from './database.ts'
import { withMetrics } from './plugins/plugin-metrics.ts'
import { noPlugins, type Plugins } from './plugins.ts'

/** Characters of content, in thousands, that a process remembers: what it stored it need not read. */
const rememberedKilochars = 2_000

/**
 * The parts that packages are made of, put together: the only place where they meet. Without `gates`
 * no rate is limited.
 */
export function createRunnerPorts(
  { db, codec }: Pick<OpenDatabase, 'db' | 'codec'>,
  engine: Engine,
  gates: Partial<Pick<Ports, 'rates' | 'spending'>> & { budgets?: BudgetMirror } = {},
  plugins: Pick<Plugins, 'kinds' | 'metrics' | 'exporters' | 'strategies'> = noPlugins,
  { judge = noJudge, embedder = null }: Partial<Pick<Ports, 'judge' | 'embedder'>> = {},
) {
  const { budgets } = gates
  const stored = createPorts(db, { codec, ...(budgets ? { budgets: budgets.listener } : {}) })
  const runs = rememberRuns(stored)
  const guarded = budgets ? budgets.guard(stored.ledger) : stored.ledger
  const storing = { ...stored, ledger: guarded, commitStage: runs.commitStage }
  const { content, ledger, commitStage } = rememberContent(storing, rememberedKilochars)
  return {
    ...stored,
    load: runs.load,
    content,
    ledger,
    commitStage,
    specifications: rememberSpecifications(stored.specifications),
    refinement: { ...stored.refinement, ledger: createVariantLedger(db, ledger) },
    clock: systemClock,
    ids: randomIds,
    industries: { get: getIndustry, hash: industryHash },
    kinds: createPluggedKinds(plugins),
    exporters: plugins.exporters,
    strategies: plugins.strategies,
    judge,
    embedder,
    engine,
    rates: gates.rates ?? unlimitedRates,
    spending: gates.spending ?? createSpendGate(db),
    identity: { workerId: randomIds.next('worker') },
  }
}

/** The document kinds, with those of plugins and with the metrics that plugins add. */
export const createPluggedKinds = ({ kinds, metrics }: Pick<Plugins, 'kinds' | 'metrics'>) =>
  withMetrics(createKinds({ industryByHash: findIndustryByHash }, kinds), metrics)
