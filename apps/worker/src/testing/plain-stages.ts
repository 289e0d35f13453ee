import { stageNames, type StageName } from '@almanac/domain'
import { defineStage, type AnyStage } from '@almanac/pipeline'
import { z } from 'zod'

type Run = (given: { run: { id: string } }, signal: AbortSignal) => Promise<unknown>

const conclusion = () => ({
  documentId: 'doc_00000000000000000000000000' as const,
  version: {
    id: 'ver_00000000000000000000000000' as const,
    label: 'v1',
    contentHash: '',
    packageHash: '',
    score: 1,
    evaluation: '{}',
  },
  artifacts: [],
  deliveries: [],
})

/** Ten stages with the real names and roles that do nothing, or what they are told to. */
export const plainStages = (does: Partial<Record<StageName, Run>> = {}): AnyStage[] =>
  stageNames.map((name) => {
    const run = does[name] ?? (() => Promise.resolve(null))
    const stage = defineStage({
      name,
      tries: 3,
      timeoutMs: 60_000,
      input: {},
      output: z.unknown(),
      run: (given, _ports: object, signal) => run(given, signal),
    })
    if (name === 'persist') return { ...stage, role: 'conclude', conclusion }
    return name === 'deliver' ? { ...stage, role: 'aftermath' } : stage
  })
