import { z } from 'zod'
import { parse } from '@almanac/domain'
import { seededNumbers } from '../seeded.ts'
import { faultInput, faultName, needsGeneration, type Fault } from './fault.ts'
import { markedFault } from './marker.ts'

/** Which requests a rule means; all that is given must hold. */
const match = z.strictObject({
  /** The first request that is spoiled, counted among those that the rest of `match` holds for. */
  nth: z.int().min(1).optional(),
  /** Part of the call key in the request's metadata. */
  keyContains: z.string().min(1).optional(),
  /** Part of the bearer key. */
  apiKeyContains: z.string().min(1).optional(),
  /** Part of the body as it was sent. */
  bodyContains: z.string().min(1).optional(),
  model: z.string().optional(),
  path: z.string().optional(),
})

/** A fault for some of the coming requests: `times` of them, or with null every one. */
export const faultRule = z.strictObject({
  match: match.default({}),
  fault: faultInput,
  times: z.int().min(1).nullable().default(1),
})
export type FaultRule = z.output<typeof faultRule>
export type FaultRuleInput = z.input<typeof faultRule>

/** The share of requests that each fault spoils; together at most 1. */
export const probabilities = z
  .partialRecord(faultName, z.number().min(0).max(1))
  .refine((shares) => Object.values(shares).reduce((sum, share) => sum + share, 0) <= 1, {
    error: 'must not be more than 1 together',
  })
export type Probabilities = z.output<typeof probabilities>

/** A rule as it stands in the book. */
export interface StandingRule extends FaultRule {
  id: string
  /** How many more requests it spoils; null for every one. */
  left: number | null
  /** How many requests it has been held against that its match, `nth` aside, holds for. */
  seen: number
}

/** What a fault is chosen by. */
export interface RequestFacts {
  body: Buffer
  bodyHash: string
  path: string
  model: string
  apiKey: string
  callKey: string | null
  /** Whether the request generates an answer, so that faults of answers can be played. */
  generates: boolean
}

export interface FaultBook {
  /** Adds rules; throws INPUT_INVALID. */
  add: (...rules: FaultRuleInput[]) => StandingRule[]
  list: () => StandingRule[]
  /** Takes one rule out, or all of them; returns how many. */
  remove: (id?: string) => number
  setProbabilities: (shares: Probabilities) => void
  /**
   * The fault for a request: that of a marker in its body, else that of the first rule that is due,
   * else one by probability. Throws ApiError for a marker that cannot be read.
   */
  choose: (facts: RequestFacts, seed: string) => Fault | undefined
}

/** So many bodies are remembered, so that a second try of a request draws anew. */
const rememberedBodies = 100_000

/** Creates an empty book of faults. */
export function createFaultBook(): FaultBook {
  let rules: StandingRule[] = []
  let shares: Probabilities = {}
  let count = 0
  const tries = new Map<string, number>()

  function due(facts: RequestFacts): Fault | undefined {
    let chosen: Fault | undefined
    for (const rule of rules) {
      if (!isMeant(rule, facts)) continue
      rule.seen += 1
      if (chosen || rule.left === 0 || rule.seen < (rule.match.nth ?? 1)) continue
      if (rule.left !== null) rule.left -= 1
      chosen = rule.fault
    }
    return chosen
  }

  function byChance({ bodyHash, generates }: RequestFacts, seed: string): Fault | undefined {
    const entries = Object.entries(shares)
    if (entries.length === 0) return undefined
    const nth = (tries.get(bodyHash) ?? 0) + 1
    tries.set(bodyHash, nth)
    for (const [oldest] of tries) if (tries.size > rememberedBodies) tries.delete(oldest)
    let drawn = seededNumbers(seed, 'fault', bodyHash, String(nth)).next()
    for (const [name, share] of entries) {
      drawn -= share
      if (drawn >= 0) continue
      const fault = parse(faultInput, name)
      return !generates && needsGeneration(fault) ? undefined : fault
    }
    return undefined
  }

  return {
    add(...inputs) {
      const added = inputs.map((input) => {
        const rule = parse(faultRule, input)
        count += 1
        return { ...rule, id: `fault_${count}`, left: rule.times, seen: 0 }
      })
      rules.push(...added)
      return added
    },
    list: () => rules.map((rule) => ({ ...rule })),
    remove(id) {
      const before = rules.length
      rules = id === undefined ? [] : rules.filter((rule) => rule.id !== id)
      return before - rules.length
    },
    setProbabilities(given) {
      shares = given
    },
    choose: (facts, seed) => markedFault(facts) ?? due(facts) ?? byChance(facts, seed),
  }
}

function isMeant({ match, fault }: FaultRule, facts: RequestFacts): boolean {
  const { keyContains, apiKeyContains, bodyContains, model, path } = match
  return (
    (facts.generates || !needsGeneration(fault)) &&
    (keyContains === undefined || (facts.callKey?.includes(keyContains) ?? false)) &&
    (apiKeyContains === undefined || facts.apiKey.includes(apiKeyContains)) &&
    (model === undefined || facts.model === model) &&
    (path === undefined || facts.path === path) &&
    (bodyContains === undefined || facts.body.includes(bodyContains))
  )
}
