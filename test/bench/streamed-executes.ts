import { createOpenAiEngine, openAiPrices } from '@almanac/llm/openai'
import { requestOf, type Engine } from '@almanac/pipeline'
import { fixturePackage } from '../../packages/documents/src/fixtures/package.ts'
import { kinds } from '../support/sample.ts'
import { model } from './engine.ts'

/**
 * A process of its own that makes streamed calls at a simulator, `width` of them at any time, as the
 * execute stage makes them: request, estimate, call, parsed answer. Prints what it took as JSON.
 *
 *   node streamed-executes.ts BASE_URL CALLS WIDTH
 */
const [baseUrl = '', calls = '', width = ''] = process.argv.slice(2)
const engine = createOpenAiEngine(
  { now: new Date() },
  { api: 'responses', model, apiKey: 'sk-simulated', baseUrl, prices: openAiPrices },
)
const kind = kinds.get('report')

async function execute(engine: Engine, n: number): Promise<void> {
  const runPackage = fixturePackage({ items: 20, change: { tenantName: `Tenant ${n}` } })
  const [call] = kind.calls(runPackage)
  if (!call) throw new Error('a report has no call')
  const request = requestOf(kind, runPackage, call, [])
  const body = engine.body(request)
  engine.estimate(request, new Date())
  const outcome = await engine.generate(request, body, new AbortController().signal)
  if (outcome.kind !== 'completed') throw new Error(`call ${n} ended as ${JSON.stringify(outcome)}`)
  if (kind.read(runPackage, [outcome.output]).content === undefined)
    throw new Error(`call ${n} made no report`)
}

let next = 0
const started = performance.now()
await Promise.all(
  Array.from({ length: Number(width) }, async () => {
    while (next < Number(calls)) await execute(engine, (next += 1))
  }),
)
const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage()
process.stdout.write(
  JSON.stringify({
    rssMb: maxRSS / 1_024,
    cpuMs: (userCPUTime + systemCPUTime) / 1_000,
    ms: performance.now() - started,
    heapMb: process.memoryUsage().heapUsed / 2 ** 20,
  }),
)
