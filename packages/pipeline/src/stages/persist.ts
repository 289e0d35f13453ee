import { canonicalJson } from '@almanac/domain'
import { readPackage } from '../content.ts'
import { assembled, evaluated, executed, exported, persisted, refined } from '../outputs.ts'
import type { Ports } from '../ports.ts'
import { defineStage } from '../stage.ts'

/**
 * Ends the run in success. Its output is the list of rows to record; the commit writes them together
 * with the run's success and the use of its period, or none of them. A document without news is
 * recorded, and delivered only where its specification does not want news alone.
 */
export const persist = defineStage({
  name: 'persist',
  role: 'conclude',
  tries: 3,
  timeoutMs: 30_000,
  input: {
    assemble: assembled,
    execute: executed,
    refine: refined,
    evaluate: evaluated,
    export: exported,
  },
  output: persisted,
  run: async (
    { run, assemble, execute, refine, evaluate, export: { documentId, artifacts, ...exported } },
    { ids, deliveries, content }: Pick<Ports, 'ids' | 'deliveries' | 'content'>,
  ) => {
    const { specification } = await readPackage(content, run.tenantId, assemble.packageHash)
    const wantsNews = specification.body.notify === 'on_change' && !run.test
    const unchangedSince = wantsNews ? exported.unchangedSince : null
    const isDelivered = !run.test && unchangedSince === null
    return {
      documentId,
      version: {
        // A refined version is stored already; one that another run made is this run's own too.
        id: refine.version?.runId === run.id ? refine.version.id : ids.next('version'),
        label: refine.versionLabel,
        contentHash: refine.contentHash,
        packageHash: assemble.packageHash,
        score: evaluate.score,
        evaluation: canonicalJson(evaluate),
      },
      artifacts: artifacts.map((artifact) => ({
        id: ids.next('artifact'),
        ...artifact,
        engine: execute.engine.name,
        model: execute.engine.model,
      })),
      deliveries: isDelivered
        ? deliveries.deliverers.map((deliverer) => ({ id: ids.next('delivery'), deliverer }))
        : [],
      unchangedSince,
    }
  },
  events: ({ unchangedSince: against }) =>
    against === null
      ? []
      : [{ type: 'run.delivery_skipped', data: { because: 'unchanged', against } }],
  conclusion: ({ unchangedSince: _against, ...conclusion }) => conclusion,
})
