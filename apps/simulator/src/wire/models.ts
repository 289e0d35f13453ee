import type { Model } from 'openai/resources/models'
import { apiErrors } from './api-error.ts'

/** The models that the simulator plays, and the dated one that serves each where the provider has one. */
export const defaultModels: Readonly<Record<string, string | null>> = {
  'gpt-6-astra': null,
  'gpt-6.1-sol': null,
  'gpt-6.1-terra': null,
  'gpt-6-sol': null,
  'gpt-6-luna': null,
  'gpt-5.6-sol': null,
  'gpt-5.6-terra': null,
  'gpt-5.6-luna': null,
  'gpt-5.5': 'gpt-5.5-2026-04-23',
  'gpt-5.4': null,
  'gpt-5.4-mini': 'gpt-5.4-mini-2026-03-17',
  'gpt-5.4-nano': 'gpt-5.4-nano-2026-03-17',
  'gpt-5.2': 'gpt-5.2-2025-12-11',
  'gpt-5.1': 'gpt-5.1-2025-11-13',
  'gpt-5': 'gpt-5-2025-08-07',
  'gpt-5-mini': 'gpt-5-mini-2025-08-07',
  'gpt-5-nano': 'gpt-5-nano-2025-08-07',
  'gpt-4.1': 'gpt-4.1-2025-04-14',
  'gpt-4.1-mini': 'gpt-4.1-mini-2025-04-14',
  'gpt-4.1-nano': 'gpt-4.1-nano-2025-04-14',
  'gpt-4o': 'gpt-4o-2024-08-06',
  'gpt-4o-mini': 'gpt-4o-mini-2024-07-18',
  'text-embedding-3-small': null,
  'text-embedding-3-large': null,
  'text-embedding-ada-002': null,
}

export interface ModelList {
  /** The model that serves `name`. Throws ApiError (404) for one that the simulator does not play. */
  served: (name: string) => string
  list: () => Model[]
  get: (name: string) => Model
}

/** Creates the list of models: the default ones, and `more` under their own names. */
export function createModelList(more: readonly string[] = []): ModelList {
  const aliases = new Map<string, string>()
  for (const [name, dated] of Object.entries(defaultModels)) {
    aliases.set(name, dated ?? name)
    if (dated !== null) aliases.set(dated, dated)
  }
  for (const name of more) aliases.set(name, name)
  const model = (id: string): Model => ({
    id,
    object: 'model',
    created: 1_767_225_600,
    owned_by: 'simulator',
  })
  const served = (name: string): string => {
    const found = aliases.get(name)
    if (found === undefined) throw apiErrors.modelUnknown(name)
    return found
  }
  return {
    served,
    list: () => [...aliases.keys()].map(model),
    get(name) {
      served(name)
      return model(name)
    },
  }
}
