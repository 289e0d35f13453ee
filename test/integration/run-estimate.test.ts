import { createDeterministicEngine } from '@almanac/llm'
import {
  createOpenAiEmbedder,
  createOpenAiEngine,
  openAiEmbeddingPrices,
  openAiPrices,
} from '@almanac/llm/openai'
import { estimateRun, pipeline, runInline, type Engine, type HoldRequest } from '@almanac/pipeline'
import { describe, expect, it } from 'vitest'
import { createMemoryWorld } from '../../packages/pipeline/src/testing/memory-world.ts'
import {
  everythingBought,
  industries,
  kinds,
  readEvidence,
  sampleEvidenceFile,
  samplePeriod,
  sampleSpecification,
} from '../support/sample.ts'
import { sampleWorkflow } from '../support/workflow-sample.ts'
import { AlmanacError, parse, specification as specificationSchema } from '@almanac/domain'

const now = new Date('2026-11-21T12:00:00.000Z')
const [source = ''] = sampleSpecification().sources
const model = 'gpt-5-mini'

const openAi = (over: { model: string }) =>
  createOpenAiEngine(
    { now },
    { api: 'responses', apiKey: 'sk-none', prices: openAiPrices, ...over },
  )

/** The same engine, with answers that need no network: those of the offline one. */
const answering = (priced: Engine): Engine => ({
  ...priced,
  generate: createDeterministicEngine().generate,
})

const pluginFailed = new AlmanacError('PLUGIN_FAILED', {
  plugin: 'fit',
  hook: 'judge broken',
  reason: 'it threw',
})

/** A provider whose answers are all cut off: what matters is what is held for it. */
const engine: Engine = {
  ...openAi({ model }),
  generate: () =>
    Promise.resolve({
      kind: 'truncated',
      usage: { inputTokens: 100, cachedInputTokens: 0, outputTokens: 100, estimated: false },
      served: { model, tier: 'standard' },
      requestId: 'q',
    }),
}

function worldOf(body: unknown) {
  const world = createMemoryWorld({
    specification: parse(specificationSchema, body),
    entitlement: everythingBought,
    evidence: readEvidence(sampleEvidenceFile, source),
    ...{ industries, kinds, engine, now },
  })
  const holds: HoldRequest[] = []
  const { ledger } = world.ports
  world.ports.ledger = {
    ...ledger,
    hold: (request) => {
      holds.push(request)
      return ledger.hold(request)
    },
  }
  return { world, holds }
}

const none = AbortSignal.any([])

describe('an estimate from the package', () => {
  it('of a report is what its run holds for the draft, and for its repairs', async () => {
    const { world, holds } = worldOf(sampleSpecification())
    const run = world.accept({ period: samplePeriod })
    const blobs = world.blobs.size
    const estimate = await estimateRun(world.ports, run.facts, none)
    expect([world.blobs.size, world.slots.size, holds.length]).toEqual([blobs, 0, 0])
    const { id: runId, tenantId } = run.facts
    await runInline(pipeline, 'retrieve', { tenantId, runId, epoch: 1 }, world.ports)
    const [draft] = holds
    expect(estimate.periodKey).toBe(samplePeriod)
    expect(estimate.first).toEqual(draft?.estimate)
    expect(estimate.most).toEqual(draft?.estimate)
    expect(estimate.mostWithRepairs).toEqual({
      microUsd: (draft?.estimate.microUsd ?? 0) + (draft?.finishing?.microUsd ?? 0),
      tokens: (draft?.estimate.tokens ?? 0) + (draft?.finishing?.tokens ?? 0),
    })
    expect(estimate.low.microUsd).toBeGreaterThan(0)
    expect(estimate.low.microUsd).toBeLessThan(estimate.most.microUsd)
  })

  it('of a workflow is at least what its first call holds, and more for every call after it', async () => {
    const { world, holds } = worldOf(sampleWorkflow({ modules: [] }))
    const run = world.accept()
    const estimate = await estimateRun(world.ports, run.facts, none)
    const { id: runId, tenantId } = run.facts
    await runInline(pipeline, 'retrieve', { tenantId, runId, epoch: 1 }, world.ports)
    const [first] = holds
    expect(estimate.first).toEqual(first?.estimate)
    expect(estimate.most.microUsd).toBeGreaterThan(2 * (first?.estimate.microUsd ?? Infinity))
    expect(estimate.most.tokens).toBeGreaterThan(2 * (first?.estimate.tokens ?? Infinity))
  })

  it('counts both calls of a judge, and the vectors where there is a document before', async () => {
    const plain = worldOf(sampleSpecification()).world
    const facts = plain.accept({ period: samplePeriod }).facts
    const before = await estimateRun(plain.ports, facts, none)

    const { world, holds } = worldOf(sampleSpecification())
    const judge = openAi({ model: 'gpt-5-nano' })
    const check = { id: 'dates', question: 'Does every fact have a date?' }
    const checklist = { name: 'fit/dates', kind: 'report', weight: 0.2 } as const
    const broken = { ...checklist, name: 'fit/broken', checks: () => Promise.reject(pluginFailed) }
    world.ports.judge = {
      engine: judge,
      checklists: [{ ...checklist, checks: () => Promise.resolve([check]) }, broken],
    }
    world.ports.embedder = createOpenAiEmbedder(
      { now },
      { model: 'text-embedding-3-small', apiKey: 'sk-none', prices: openAiEmbeddingPrices },
    )
    const run = world.accept({ period: samplePeriod, id: facts.id })
    const judged = await estimateRun(world.ports, run.facts, none)
    expect(judged.first).toEqual(before.first)
    const added = judged.most.microUsd - before.most.microUsd
    expect(added).toBeGreaterThan(0)
    expect(judged.low.microUsd).toBeGreaterThan(before.low.microUsd)
    expect(judged.low.microUsd - before.low.microUsd).toBeLessThan(added)

    world.ports.history = {
      before: () => Promise.resolve({ history: [], previousArtifactHash: 'ab'.repeat(32) }),
    }
    const compared = await estimateRun(world.ports, run.facts, none)
    const [documents, price] = [2 * 16_000, 20_000]
    expect(compared.most.tokens - judged.most.tokens).toBeGreaterThanOrEqual(documents)
    expect(compared.most.microUsd - judged.most.microUsd).toBeGreaterThanOrEqual(
      (documents * price) / 1_000_000,
    )
    expect(compared.low.tokens).toBeGreaterThanOrEqual(judged.low.tokens)

    // Never less than what the judge's calls hold.
    world.ports.engine = answering(world.ports.engine)
    const { id: runId, tenantId } = run.facts
    await runInline(pipeline, 'retrieve', { tenantId, runId, epoch: 1 }, world.ports)
    const held = holds.filter(({ callKey }) => callKey.startsWith('judge:'))
    expect(held.length).toBeGreaterThan(0)
    for (const { estimate } of held) expect(estimate.microUsd).toBeLessThanOrEqual(added / 2)
  })

  it('of a run that could not begin is refused as the run would be', async () => {
    const { world } = worldOf(sampleSpecification())
    world.specification.state = 'paused'
    const run = world.accept({ period: samplePeriod })
    await expect(estimateRun(world.ports, run.facts, none)).rejects.toMatchObject({
      code: 'SPEC_NOT_ACTIVE',
    })
  })
})
