import type { Engine, Judge } from '@almanac/pipeline'
import type { Config, Logger } from '@almanac/runtime'
import { createEngine } from './engine.ts'
import type { Plugins } from './plugins.ts'

/**
 * Who judges finished documents: the engine openai with the model that is set for it, and nobody else.
 * Throws what createEngine throws.
 */
export async function createJudge(
  { engine }: Pick<Config, 'engine'>,
  { checklists }: Pick<Plugins, 'checklists'>,
  log: Logger,
): Promise<Judge> {
  if (engine.kind === 'deterministic')
    return { engine: { none: 'the deterministic engine does not judge' }, checklists }
  if (engine.kind === 'plugin')
    return { engine: { none: `the engine ${engine.name} does not judge` }, checklists }
  const { judgeModel } = engine
  if (judgeModel === undefined)
    return { engine: { none: 'no model is set for it: LLM_JUDGE_MODEL' }, checklists }
  if (checklists.length === 0)
    log.warn('LLM_JUDGE_MODEL is set, but no plugin brings a checklist: nothing is judged')
  return {
    engine: await createEngine({ engine: { ...engine, model: judgeModel } }, log),
    checklists,
  }
}

/** The engine of a judge, where there is one. */
export const judgingEngine = ({ engine }: Judge): Engine[] => ('none' in engine ? [] : [engine])
