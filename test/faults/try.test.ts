import { createOpenAiEngine, loadTokenCounter, openAiPrices } from '@almanac/llm'
import { pipeline, runInline } from '@almanac/pipeline'
import { createSimulator } from '@almanac/simulator'
import { it } from 'vitest'
import { createMemoryWorld } from '../../packages/pipeline/src/testing/memory-world.ts'
import { everythingBought, industries, kinds, readEvidence, sampleEvidenceFile, samplePeriod, sampleSpecification } from '../support/sample.ts'
it('x', async () => {
  const simulator = createSimulator({})
  const listening = await simulator.listen()
  const now = new Date('2026-11-21T12:00:00.000Z')
  const engine = createOpenAiEngine({ countTokens: await loadTokenCounter(), now }, { api: 'responses', model: 'gpt-5.4-mini', apiKey: 'sk-x', baseUrl: listening.baseUrl, prices: openAiPrices })
  const [source = ''] = sampleSpecification().sources
  const world = createMemoryWorld({ specification: sampleSpecification(), entitlement: everythingBought, evidence: readEvidence(sampleEvidenceFile, source), industries, kinds, engine, now })
  const run = world.accept({ period: samplePeriod })
  const t = performance.now()
  const end = await runInline(pipeline, 'retrieve', { tenantId: run.facts.tenantId, runId: run.facts.id, epoch: 1 }, world.ports)
  console.log(performance.now() - t, end, run.state, run.error, [...world.calls], [...world.slots.values()].map(s=>s.state), run.events.map(e => JSON.stringify(e)).slice(-6))
  console.log(simulator.log.entries().map(e => [e.path, e.status, e.callKey, e.ended, e.billed, e.told, e.bodyBytes]))
  await listening.close()
})
