import { executed, refined, validated } from '../outputs.ts'
import { defineStage } from '../stage.ts'

/**
 * Hands on the best version of the document. Without refinement that is the first one; the guarded
 * recursion replaces `contentHash`, `versionLabel` and `stopReason`, and nothing else of a run.
 */
export const refine = defineStage({
  name: 'refine',
  tries: 3,
  timeoutMs: 10_000,
  input: { execute: executed, validate: validated },
  output: refined,
  run: async ({ execute }, _ports: object) =>
    Promise.resolve({
      contentHash: execute.contentHash,
      versionLabel: '1',
      stopReason: 'disabled',
    }),
})
