import { isStorable, type RunPackage } from '@almanac/domain'
import type { Engine, EngineRequest, Outcome } from '@almanac/pipeline'
import assert from 'node:assert/strict'
import { assertPure, assertTimeless, check, type Check } from './check.ts'
import { sampleAnswers, sampleKinds } from './samples.ts'

/** A request as the pipeline makes it, of each first call of the sample documents. */
export function sampleRequests(): EngineRequest[] {
  const { report, workflow } = sampleAnswers()
  return [report.package, workflow.package].map(firstRequest)
}

function firstRequest(runPackage: RunPackage): EngineRequest {
  const kind = sampleKinds.get(runPackage.output.kind)
  const [call] = kind.calls(runPackage)
  if (!call) throw new Error('a kind without calls')
  return {
    ...{ package: runPackage, call, inputs: [] },
    prompt: kind.prompt(runPackage, call, []),
    jsonSchema: kind.callSchema?.(runPackage, call) ?? runPackage.output.jsonSchema,
    maxOutputTokens: runPackage.limits.maxOutputTokens,
  }
}

const wholeNumber = (value: number, what: string) => {
  assert.ok(Number.isSafeInteger(value) && value >= 0, `${what} is ${value}`)
}

const kinds: readonly Outcome['kind'][] = [
  ...(['completed', 'truncated', 'refused', 'filtered', 'not_billed'] as const),
  ...(['unknown', 'billing_stop', 'misconfigured'] as const),
]

/**
 * What every engine holds to: bytes that follow from the request alone, prices that are never below
 * what was held, and an outcome for every call. `answersAlike`: equal requests, equal outputs.
 */
export function engineConformance(
  engine: Engine,
  {
    requests = sampleRequests(),
    answersAlike = false,
  }: { requests?: readonly EngineRequest[]; answersAlike?: boolean } = {},
): Check[] {
  const at = new Date('2026-11-21T12:00:00Z')
  const each = (test: (request: EngineRequest) => void | Promise<void>) => async () => {
    for (const request of requests) await test(request)
  }
  const ask = (request: EngineRequest, signal = new AbortController().signal) =>
    engine.generate(request, engine.body(request), signal)
  return [
    check(
      'makes equal bytes of equal requests, without clock or dice',
      each(async (request) => {
        const body = await assertPure(engine.body.bind(engine), request, 'body')
        assert.ok(isStorable(body) && body !== '', 'the body is no text')
        assert.ok(!body.includes('service_tier'), 'the service tier is no part of the body')
        await assertTimeless(() => engine.body(request), 'body')
      }),
    ),
    check(
      'makes other bytes of another call',
      each((request) => {
        const other = { ...request, call: { ...request.call, n: request.call.n + 1 } }
        assert.notEqual(engine.body(other), engine.body(request))
      }),
    ),
    check(
      'estimates and prices in whole numbers, more for more, by the instant that it is given',
      each(async (request) => {
        const estimate = engine.estimate(request, at)
        wholeNumber(estimate.microUsd, 'the estimated price')
        wholeNumber(estimate.tokens, 'the estimated number of tokens')
        assert.deepEqual(engine.estimate(request, at), estimate)
        await assertTimeless(() => engine.estimate(request, at), 'estimate')
        const served = { model: engine.model, tier: 'standard' }
        const price = (tokens: number) =>
          engine.price(
            {
              ...{ inputTokens: tokens, outputTokens: tokens },
              ...{ cachedInputTokens: 0, estimated: false },
            },
            served,
            at,
          )
        wholeNumber(price(1_000), 'the price')
        assert.ok(price(100_000) >= price(1_000), 'more tokens cost less')
      }),
    ),
    check(
      'says what became of a call, for no more than was held',
      each(async (request) => {
        const outcome = await ask(request)
        assert.ok(kinds.includes(outcome.kind), `${outcome.kind} is no outcome`)
        if (!('usage' in outcome)) return
        const { usage, served } = outcome
        for (const [name, value] of Object.entries(usage))
          if (typeof value === 'number') wholeNumber(value, name)
        const held = engine.estimate(request, at).microUsd
        const cost = engine.price(usage, served, at)
        assert.ok(cost <= held, `it cost ${cost} micro-USD, and ${held} were held`)
      }),
    ),
    check(
      'completes no call that was given up before',
      each(async (request) => {
        const ended = await ask(request, AbortSignal.abort()).then(
          ({ kind }) => kind,
          () => 'rejected',
        )
        assert.notEqual(ended, 'completed')
      }),
    ),
    ...(answersAlike
      ? [
          check(
            'answers equal requests with equal outputs, whatever was asked between',
            each(async (request) => {
              const first = await ask(request)
              for (const other of requests) await ask(other)
              assert.deepEqual(await ask(request), first)
            }),
          ),
        ]
      : []),
  ]
}
