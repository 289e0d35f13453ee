import type { Call, Prompt } from '@almanac/documents'
import type { Json, RunPackage } from '@almanac/domain'

/** The pure product of package, call and parameters: equal inputs, equal bytes. */
export interface EngineRequest {
  package: RunPackage
  call: Call
  /** The contents that the call's `inputHashes` name, in their order; part of the prompt too. */
  inputs: readonly string[]
  prompt: Prompt
  jsonSchema: Record<string, Json>
  maxOutputTokens: number
}

export interface Usage {
  inputTokens: number
  cachedInputTokens: number
  outputTokens: number
  /** True when the provider did not say and we counted. */
  estimated: boolean
}

/** What a provider's headers say of its rate limits: what is left, and when it is all there again. */
export interface ProviderLoad {
  requests?: { left: number; resetMs?: number }
  tokens?: { left: number; resetMs?: number }
}

/** What became of one call. Only `completed` carries output; `unknown` may have been billed. */
export type Outcome = Ending & { told?: ProviderLoad }

type Ending =
  | {
      kind: 'completed'
      output: unknown
      usage: Usage
      served: { model: string; tier: string }
      requestId: string
    }
  | {
      kind: 'truncated' | 'refused' | 'filtered'
      usage: Usage
      served: { model: string; tier: string }
      requestId: string
    }
  | {
      kind: 'not_billed'
      reason: 'rate' | 'overloaded' | 'flex_unavailable'
      retryAfterMs?: number
    }
  | { kind: 'unknown'; reason: 'timeout' | 'reset' | 'server_error' }
  | { kind: 'billing_stop'; code: string }
  | { kind: 'misconfigured'; status: number; code: string }

/** Stateless execution of one request. It decides no scope and its output is parsed whatever it claims. */
export interface Engine {
  readonly name: string
  readonly model: string
  /** The provider key that rates and the provider's budget count. */
  readonly provider: string
  /** The bytes that would be sent, without the service tier; a pure function. */
  body(request: EngineRequest): string
  /** The most that the request can cost, priced at the instant `at`. */
  estimate(request: EngineRequest, at: Date): { microUsd: number; tokens: number }
  /** What a usage costs, priced at the instant `at`. */
  price(usage: Usage, served: { model: string; tier: string }, at: Date): number
  generate(request: EngineRequest, body: string, signal: AbortSignal): Promise<Outcome>
}
