import type { Call } from '@almanac/documents'
import type { EngineRequest } from '@almanac/pipeline'
import { describe, expect, it } from 'vitest'
import { createDeterministicEngine } from './engine.ts'
import { composeReport } from './compose-report.ts'
import { samplePackage } from '../testing/sample-package.ts'

const engine = createDeterministicEngine()

const draft: Call = { kind: 'draft', n: 1, brief: 'Write it.', inputHashes: [] }
const runPackage = samplePackage({
  items: [
    {
      itemId: 'a',
      publishedAt: '2022-03-08T05:00:00Z',
      title: 'Airworthiness Directives: Airbus SAS Airplanes',
      attributes: { documentType: 'Rule', agency: 'FAA' },
    },
  ],
})
const request: EngineRequest = {
  package: runPackage,
  call: draft,
  inputs: [],
  prompt: { instructions: 'ignored', input: 'ignored' },
  jsonSchema: {},
  maxOutputTokens: 16_000,
}

const never = new AbortController().signal

describe('the deterministic engine', () => {
  it('answers a composed draft, unbilled', async () => {
    const body = engine.body(request)
    const outcome = await engine.generate(request, body, never)
    expect(outcome).toEqual({
      kind: 'completed',
      output: composeReport(runPackage),
      usage: { inputTokens: 0, cachedInputTokens: 0, outputTokens: 0, estimated: false },
      served: { model: 'extractive-1', tier: 'standard' },
      requestId: expect.stringMatching(/^deterministic-[0-9a-f]{16}$/),
    })
    expect(engine.estimate(request, new Date(0))).toEqual({ microUsd: 0, tokens: 0 })
  })

  it('answers equal requests alike, and names what it cannot compose', async () => {
    const twice = await Promise.all(
      [request, structuredClone(request)].map((one) =>
        engine.generate(one, engine.body(one), never),
      ),
    )
    expect(JSON.stringify(twice[0])).toBe(JSON.stringify(twice[1]))
    const workflow = {
      ...request,
      package: { ...runPackage, output: { ...runPackage.output, kind: 'workflow' as const } },
    }
    expect(await engine.generate(workflow, engine.body(workflow), never)).toEqual({
      kind: 'misconfigured',
      status: 422,
      code: 'a workflow needs a specification of its kind',
    })
  })

  it('has a body that changes with whatever the composer reads, and with nothing else', () => {
    const body = engine.body(request)
    const [item] = runPackage.evidence
    const changed: EngineRequest[] = [
      { ...request, call: { ...draft, n: 2 } },
      { ...request, maxOutputTokens: 1 },
      { ...request, package: { ...runPackage, evidence: [] } },
      {
        ...request,
        package: { ...runPackage, cadence: { ...runPackage.cadence, timeZone: 'UTC' } },
      },
      {
        ...request,
        package: {
          ...runPackage,
          evidence: runPackage.evidence.map((one) => ({ ...one, hash: 'f'.repeat(64) })),
        },
      },
    ]
    for (const other of changed) expect(engine.body(other)).not.toBe(body)
    expect(engine.body({ ...request, prompt: { instructions: '', input: '' } })).toBe(body)
    expect(item).toBeDefined()
  })

  it('rejects with the reason of a signal aborted before or right after the call', async () => {
    const reason = new Error('cancelled by the tenant')
    const before = AbortSignal.abort(reason)
    await expect(engine.generate(request, '', before)).rejects.toBe(reason)
    const during = new AbortController()
    const answer = engine.generate(request, '', during.signal)
    during.abort(reason)
    await expect(answer).rejects.toBe(reason)
  })
})
