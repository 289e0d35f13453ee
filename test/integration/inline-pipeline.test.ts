import type { Entitlement, ReportSpecification } from '@almanac/domain'
import { createDeterministicEngine } from '@almanac/llm'
import { pipeline, runInline, type Engine, type RunFacts } from '@almanac/pipeline'
import { describe, expect, it } from 'vitest'
import {
  createMemoryWorld,
  type MemoryWorld,
} from '../../packages/pipeline/src/testing/memory-world.ts'
import {
  everythingBought,
  federalRules,
  hasFederalRules,
  industries,
  kinds,
  readEvidence,
  sampleEvidenceFile,
  samplePeriod,
  sampleSpecification,
  wholeScope,
} from '../support/sample.ts'

const now = new Date('2026-11-21T12:00:00.000Z')
const [source = ''] = sampleSpecification().sources

function createWorld(
  over: {
    specification?: Partial<ReportSpecification>
    entitlement?: Entitlement
    engine?: Engine
    file?: string
  } = {},
): MemoryWorld {
  return createMemoryWorld({
    specification: sampleSpecification(over.specification),
    entitlement: over.entitlement ?? everythingBought,
    evidence: readEvidence(over.file ?? sampleEvidenceFile, source),
    industries,
    kinds,
    engine: over.engine ?? createDeterministicEngine(),
    now,
  })
}

async function run(world: MemoryWorld, facts: Partial<RunFacts> = {}) {
  const accepted = world.accept({ period: samplePeriod, ...facts })
  const { id: runId, tenantId } = accepted.facts
  await runInline(pipeline, 'retrieve', { tenantId, runId, epoch: 1 }, world.ports)
  const artifacts = Object.fromEntries(
    (accepted.conclusion?.artifacts ?? []).map(({ format, sha256 }) => [
      format,
      world.blobs.get(sha256) ?? '',
    ]),
  )
  return { ...accepted, artifacts }
}

/** An engine that counts what it is asked. */
const counting = (): Engine & { asked: number } => {
  const engine = createDeterministicEngine()
  const counter = {
    ...engine,
    asked: 0,
    generate: (...call: Parameters<Engine['generate']>) => {
      counter.asked += 1
      return engine.generate(...call)
    },
  }
  return counter
}

describe('the pipeline, inline', () => {
  it('makes a report of the sample through all stages', async () => {
    const made = await run(createWorld())
    expect(made.error).toBeNull()
    expect(made.state).toBe('succeeded')
    expect(Object.keys(made.outputs)).toEqual([
      'retrieve',
      'cadence',
      'assemble',
      'execute',
      'validate',
      'refine',
      'evaluate',
      'export',
      'persist',
    ])
    expect(made.artifacts.json).toContain('non_operational_output')
    for (const text of Object.values(made.artifacts)) {
      expect(text.replaceAll('\\', '')).toContain('non_operational_output')
      expect(text).toContain('SAMPLE')
    }
  })

  it('makes equal bytes of equal work', async () => {
    const [one, two] = [createWorld(), createWorld()]
    const same = { id: one.accept().facts.id }
    const specificationId = one.accept().facts.specificationId
    const first = await run(one, { ...same, specificationId })
    const second = await run(two, { ...same, specificationId })
    expect(second.artifacts).toEqual(first.artifacts)
  })

  it('uses only the window’s items, and cites only what exists', async () => {
    const made = await run(createWorld())
    const { content, metadata } = JSON.parse(made.artifacts.json ?? '') as {
      metadata: { from: string; to: string }
      content: { sections: { items: { evidence: string[] }[] }[] }
    }
    const inWindow = new Set(
      readEvidence(sampleEvidenceFile, source)
        .filter(
          ({ publishedAt: at }) =>
            new Date(at) >= new Date(metadata.from) && new Date(at) < new Date(metadata.to),
        )
        .map(({ id }) => id),
    )
    const cited = content.sections.flatMap(({ items }) => items.flatMap(({ evidence }) => evidence))
    expect(cited.length).toBeGreaterThan(20)
    expect(cited.filter((id) => !inWindow.has(id))).toEqual([])
  })

  it('states a quiet period and succeeds', async () => {
    const made = await run(createWorld(), { period: '2026-W30' })
    expect(made.state).toBe('succeeded')
    expect(made.artifacts.markdown).toMatch(/quiet/i)
  })

  it('lets only a success use up the period', async () => {
    const world = createWorld()
    await run(world)
    const second = await run(world)
    expect(second.state).toBe('blocked')
    expect(second.error?.code).toBe('CADENCE_SLOT_TAKEN')
    expect(second.error?.detail).toContain(samplePeriod)

    const engine = counting()
    const failing = createWorld({
      engine: {
        ...engine,
        generate: async () =>
          Promise.resolve({ kind: 'misconfigured', status: 401, code: 'the key is not valid' }),
      },
    })
    expect((await run(failing)).error?.code).toBe('ENGINE_MISCONFIGURED')
    failing.ports.engine = engine
    expect((await run(failing)).state).toBe('succeeded')
  })

  it.each(['draft', 'paused', 'archived'] as const)(
    'never calls the engine for a specification that is %s, and leaves its period free',
    async (state) => {
      const engine = counting()
      const world = createWorld({ engine })
      world.specification.state = state
      const blocked = await run(world)
      expect(blocked.error?.code).toBe('SPEC_NOT_ACTIVE')
      expect(engine.asked).toBe(0)
      expect(world.slots.size).toBe(0)
    },
  )

  it('blocks after a downgrade', async () => {
    const downgraded = {
      ...everythingBought,
      industries: { 'us-regulation': { deliverables: ['final-rules'], regions: '*', links: '*' } },
    } satisfies Entitlement
    const blocked = await run(createWorld({ entitlement: downgraded }))
    expect(blocked.error?.code).toBe('SCOPE_NOT_ENTITLED')
    expect(blocked.error?.detail).toContain('"proposed-rules" is not included')
  })

  it('narrows a run, never widens it', async () => {
    const narrowed = await run(createWorld(), { narrow: { deliverables: ['proposed-rules'] } })
    expect(narrowed.state).toBe('succeeded')
    const { content, metadata } = JSON.parse(narrowed.artifacts.json ?? '') as {
      metadata: { narrowed: boolean }
      content: { sections: { deliverable: string }[] }
    }
    expect(content.sections.map(({ deliverable }) => deliverable)).toEqual(['proposed-rules'])
    expect(metadata.narrowed).toBe(true)
    const widened = await run(createWorld(), { narrow: { regions: ['ohio'] } })
    expect(widened.error?.code).toBe('SCOPE_WIDENED')
  })

  it('takes no period and delivers nothing for a test run, and marks it', async () => {
    const world = createWorld()
    const test = await run(world, { test: true })
    expect(test.state).toBe('succeeded')
    expect(world.slots.size).toBe(0)
    expect(test.conclusion?.deliveries).toEqual([])
    for (const text of Object.values(test.artifacts)) expect(text).toMatch(/TEST|test run/i)
    expect((await run(world)).state).toBe('succeeded')
  })

  it('repairs an invalid document, at most twice, each time as a call of its own', async () => {
    const engine = counting()
    let broken = 1
    const failsOnce: Engine = {
      ...engine,
      generate: async (request, body, signal) => {
        const outcome = await engine.generate(
          { ...request, call: { ...request.call, kind: 'draft' } },
          body,
          signal,
        )
        if (outcome.kind !== 'completed' || broken-- <= 0) return outcome
        return { ...outcome, output: { summary: [], sections: [] } }
      },
    }
    const world = createWorld({ engine: failsOnce })
    expect((await run(world)).state).toBe('succeeded')
    expect([...world.calls.keys()].map((key) => key.split('/')[1])).toEqual(['draft:1', 'repair:1'])
    broken = 99
    const hopeless = await run(createWorld({ engine: failsOnce }))
    expect(hopeless.error?.code).toBe('OUTPUT_INVALID')
    expect(engine.asked).toBe(2 + 3)
  })

  it('goes on after the last settled call when it is taken over', async () => {
    const engine = counting()
    const world = createWorld({ engine })
    const { ledger } = world.ports
    let crash = true
    world.ports.ledger = {
      ...ledger,
      settle: async (...settled) => {
        await ledger.settle(...settled)
        if (crash) {
          crash = false
          throw new Error('the process died')
        }
      },
    }
    expect((await run(world)).state).toBe('succeeded')
    expect(engine.asked).toBe(1)
  })
})

describe.skipIf(!hasFederalRules)('the real rules of 2022', () => {
  const whole = { ...wholeScope('us-regulation'), title: 'US regulation weekly' }

  it.each([
    ['America/New_York', 104],
    ['America/Los_Angeles', 103],
  ])('puts the items of 2022-W10 in %s into the package: %i', async (timeZone, count) => {
    const world = createWorld({ file: federalRules, specification: { ...whole, timeZone } })
    const made = await run(world, { period: '2022-W10' })
    expect(made.state).toBe('succeeded')
    const { evidenceConsidered } = JSON.parse(made.outputs.assemble ?? '') as {
      evidenceConsidered: number
    }
    expect(evidenceConsidered).toBe(count)
  })

  it('marks withdrawn items and leaves them out of the rules', async () => {
    const world = createWorld({ file: federalRules, specification: whole })
    const withdrawn = new Set(world.evidence.filter((item) => item.withdrawn).map(({ id }) => id))
    expect(withdrawn.size).toBe(20)
    const monthly = createWorld({
      file: federalRules,
      specification: { ...whole, cadence: 'monthly' },
    })
    for (const period of ['2022-01', '2022-06', '2022-11']) {
      const made = await run(monthly, { period })
      expect(made.error).toBeNull()
      const { content } = JSON.parse(made.artifacts.json ?? '') as {
        content: { sections: { deliverable: string; items: { evidence: string[] }[] }[] }
      }
      const rules = content.sections.filter(
        ({ deliverable }) => deliverable !== 'corrections-and-withdrawals',
      )
      const cited = rules.flatMap(({ items }) => items.flatMap(({ evidence }) => evidence))
      expect(cited.filter((id) => withdrawn.has(id))).toEqual([])
    }
  })
})
