import { canonicalJson } from '@almanac/domain'
import { assembled, evaluated, executed, exported, persisted, refined } from '../outputs.ts'
import type { Ports } from '../ports.ts'
import { defineStage } from '../stage.ts'

/**
 * Ends the run in success. Its output is the list of rows to record; the commit writes them together
 * with the run's success and the use of its period, or none of them.
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
    { run, assemble, execute, refine, evaluate, export: { documentId, artifacts } },
    { ids }: Pick<Ports, 'ids'>,
  ) =>
    Promise.resolve({
      documentId,
      version: {
        id: ids.next('version'),
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
      deliveries: run.test ? [] : [{ id: ids.next('delivery'), deliverer: 'file' }],
    }),
  conclusion: (output) => output,
})
