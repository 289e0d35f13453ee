import {
  stem,
  wordsOf,
  workflowKind as kind,
  type Call,
  type WorkflowContent,
} from '@almanac/documents'
import { isStorable, plainLine, type RunPackage } from '@almanac/domain'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  fixtureModule,
  workflowPackage,
  type WorkflowFixture,
} from '../../../../documents/src/fixtures/workflow-package.ts'
import { composeWorkflow } from './compose-workflow.ts'

/** The answers of all phases, each given those before it as the engine is given them. */
function answersOf(runPackage: RunPackage): unknown[] {
  const answers: unknown[] = []
  for (const call of kind.calls(runPackage)) {
    const inputs = answers.map((answer) => JSON.stringify(answer))
    answers.push(composeWorkflow({ package: runPackage, call, inputs }))
  }
  return answers
}

function composed(given: WorkflowFixture | RunPackage): WorkflowContent {
  const runPackage = 'packageVersion' in given ? given : workflowPackage(given)
  const { content, findings } = kind.read(runPackage, answersOf(runPackage))
  if (!content) throw new Error(JSON.stringify(findings))
  return content
}

const tasksOf = ({ phases }: WorkflowContent) => phases.flatMap(({ tasks }) => tasks)

/** Sequences of three words of the task texts, without the words that echo the purpose. */
function shingles(purpose: string): Set<string> {
  const echoed = new Set(wordsOf(purpose).map(stem))
  const found = new Set<string>()
  for (const { name, steps, outputs, done, note } of tasksOf(composed({ purpose })))
    for (const text of [name, ...steps, ...outputs.map((output) => output.name), done, note]) {
      const words = wordsOf(text).filter((word) => !echoed.has(stem(word)))
      for (let i = 0; i + 3 <= words.length; i += 1) found.add(words.slice(i, i + 3).join(' '))
    }
  return found
}

function jaccard(a: ReadonlySet<string>, b: ReadonlySet<string>): number {
  const both = [...a].filter((one) => b.has(one)).length
  return both / (a.size + b.size - both)
}

describe('two purposes', () => {
  /** Ten pairs; those of the second five have verbs of one class, the last two also like objects. */
  it.each([
    [
      'Onboard new chemical suppliers and audit their safety data sheets',
      'Close the monthly accounts',
    ],
    ['Hire a data engineer for the platform team', 'Maintain the compressors in plant 4'],
    ['Publish a monthly newsletter for members', 'Respond to customer complaints within two days'],
    ['Monitor river water quality every week', 'Launch the mobile app in three countries'],
    ['Train volunteers for the food bank', 'Renew the operating licence of the clinic'],
    ['Review supplier contracts before renewal', 'Audit fire safety in all school buildings'],
    [
      'Migrate the billing database to the cloud',
      'Relocate the Leipzig warehouse to Halle by March',
    ],
    ['Reduce energy use in the bakery', 'Reduce customer churn for the mobile app'],
    [
      'Plan the annual volunteer conference',
      'Organise a school trip to the museum for 60 children',
    ],
    ['Onboard new employees', 'Train apprentices in the workshop'],
  ])('make different workflows: %s / %s', (one, other) => {
    const [a, b] = [shingles(one), shingles(other)]
    expect(Math.min(a.size, b.size)).toBeGreaterThan(60)
    expect(jaccard(a, b)).toBeLessThanOrEqual(0.4)
  })
})

describe('a composed workflow', () => {
  it.each([
    'Onboard new chemical suppliers and audit their safety data sheets within 30 days',
    'Migrate the billing database to a managed cloud service without downtime by 30 June',
    'Collect customer feedback every month and publish a summary for the product board',
    'The purpose of this workflow is to help site managers to inspect scaffolds daily',
    'Weekly review of safety incidents at the Rotterdam plant',
    'Supplier onboarding',
    'Buy ten delivery vans under 300,000 euros, train their drivers and retire the old fleet.',
  ])('is clean, takes its purpose up, and covers each phase: %s', (purpose) => {
    const runPackage = workflowPackage({ purpose, modules: [fixtureModule] })
    const content = composed(runPackage)
    const findings = kind.validate(content, runPackage)
    expect(findings).toEqual([])
    const { score, phases = [] } = kind.evaluate(content, runPackage, findings)
    expect(score).toBeGreaterThanOrEqual(0.85)
    expect(phases.length).toBeGreaterThanOrEqual(1)
    expect(tasksOf(content).length).toBeGreaterThanOrEqual(5)
    expect(content.modules.some(({ registered }) => registered === fixtureModule.key)).toBe(true)
  })

  it('can be read and is without error, whatever purpose, audience, style and title say', () => {
    const line = (max: number) =>
      fc
        .oneof(
          fc.string({ unit: 'grapheme', maxLength: max }),
          fc.lorem({ maxCount: 40 }),
          fc.constantFrom(
            'and and and then to to of',
            'Audit, audit, audit and audit and review and inspect the audit of audits',
            'by within under for with',
            '<script>alert(1)</script>',
            '{object} {they are/it is} | x',
            '採用プロセスを改善する',
            '$& $1 constructor __proto__',
          ),
        )
        .map((text) => plainLine(max).safeParse(text).data)
        .filter((text) => text !== undefined)
    fc.assert(
      fc.property(
        line(1_000),
        line(400),
        line(400),
        line(160),
        (purpose, audience, style, title) => {
          const runPackage = workflowPackage({ purpose, audience, style, title })
          const answers = answersOf(runPackage)
          expect(isStorable(JSON.stringify(answers))).toBe(true)
          const { content, findings } = kind.read(runPackage, answers)
          expect(findings).toEqual([])
          if (!content) return
          const errors = kind
            .validate(content, runPackage)
            .filter(({ severity }) => severity === 'error')
          expect(errors).toEqual([])
        },
      ),
      { numRuns: 300 },
    )
  })

  it('keeps every condition that the purpose states', () => {
    const content = composed({
      purpose: 'Migrate the billing database to a cloud service without downtime by 30 June',
    })
    const names = tasksOf(content).map(({ name }) => name)
    expect(names).toEqual(
      expect.arrayContaining([
        'Make the far end ready: a cloud service',
        'Rule out: without downtime',
        'Guard the date: by 30 June',
      ]),
    )
  })

  it('has the same ids whatever the words of audience and style, and in every composition', () => {
    const ids = (over: WorkflowFixture) => {
      const content = composed(over)
      return [
        content.id,
        ...tasksOf(content).map(({ id }) => id),
        ...content.modules.map(({ id }) => id),
      ]
    }
    const own = ids({})
    expect(ids({})).toEqual(own)
    expect(ids({ audience: 'New interns', style: 'Friendly narrative' })).toEqual(own)
    expect(composed({})).toEqual(composed({}))
  })
})

describe('the audience', () => {
  const workflow = (audience: string) => composed({ audience })

  it('does the work: its people are the first roles', () => {
    const { roles, phases } = workflow('Site engineers, procurement leads and quality managers')
    expect(roles.slice(0, 3).map(({ name }) => name)).toEqual([
      'Site engineer',
      'Procurement lead',
      'Quality manager',
    ])
    expect(phases[0]?.tasks[0]?.role).toBe(roles[0]?.id)
  })

  it('of newcomers is told every step, and why; experts get what is particular', () => {
    const steps = (content: WorkflowContent) =>
      tasksOf(content).reduce((sum, task) => sum + task.steps.length, 0)
    const [newcomers, practitioners, experts] = [
      workflow('New interns in procurement'),
      workflow('Procurement officers'),
      workflow('Senior procurement specialists'),
    ]
    expect(steps(newcomers)).toBeGreaterThan(steps(practitioners))
    expect(steps(practitioners)).toBeGreaterThan(steps(experts))
    expect(tasksOf(newcomers).every(({ note }) => note !== '')).toBe(true)
    expect(tasksOf(experts).every(({ note }) => note === '')).toBe(true)
  })

  it('of those who decide gets decisions, and somebody who does the work between them', () => {
    const content = workflow('Board of directors')
    expect(content.roles.map(({ name }) => name).slice(0, 2)).toEqual([
      'Board of directors',
      'Working lead',
    ])
    expect(tasksOf(content).every(({ note }) => note.startsWith('Yours to decide: '))).toBe(true)
  })

  it('of newcomers is spared the words of the trade', () => {
    const purpose = 'Close the monthly accounts'
    const text = (audience: string) => JSON.stringify(composed({ purpose, audience }).phases)
    expect(text('Controllers')).toMatch(/reconciled/i)
    expect(text('New volunteers')).not.toMatch(/reconciled|accrue/i)
  })
})

describe('the style', () => {
  const purpose = 'Close the monthly accounts'
  const workflow = (style: string) => composed({ style, purpose, audience: 'Controllers' })
  const first = (style: string) => tasksOf(workflow(style))[0]?.steps ?? []

  it('decides the form', () => {
    expect(workflow('A checklist').form).toBe('checklist')
    expect(workflow('Narrative prose').form).toBe('narrative')
    expect(workflow('Numbered, in plain English').form).toBe('steps')
    expect(workflow('No checklist, please').form).toBe('steps')
  })

  it('decides how steps are written', () => {
    expect(first('Checklist').every((step) => !step.endsWith('.'))).toBe(true)
    expect(first('Formal').every((step) => step.startsWith('The controller shall '))).toBe(true)
    expect(first('Friendly').every((step) => step.startsWith('You '))).toBe(true)
    const story = first('Narrative')
    expect(story[0]).toMatch(/^First, \p{Ll}/u)
    expect(story.at(-1)).toMatch(/^Finally, \p{Ll}/u)
  })

  it('decides how much is said', () => {
    const words = (style: string) =>
      wordsOf(
        tasksOf(workflow(style))
          .flatMap(({ steps }) => steps)
          .join(' '),
      ).length
    expect(words('Terse')).toBeLessThan(words('Plain'))
    expect(words('Plain')).toBeLessThan(words('Detailed'))
  })
})

describe('a phase', () => {
  const runPackage = workflowPackage({ modules: [fixtureModule] })
  const [initialize, howTo, modularize] = kind.calls(runPackage)
  if (!initialize || !howTo || !modularize) throw new Error('no calls')

  it('builds on the answers that it is given, whoever gave them', () => {
    const outline = {
      summary: 'Another one laid this out.',
      form: 'steps',
      roles: [{ key: 'chemist', name: 'Chemist', duty: 'Does it.' }],
      inputs: [{ key: 'papers', name: 'Papers' }],
      phases: [
        { key: 'early', name: 'Early', kind: 'gather', goal: 'Something.' },
        { key: 'late', name: 'Late', kind: 'deliver', goal: 'Something else.' },
      ],
    }
    const inputs = [JSON.stringify(outline)]
    const tasks = composeWorkflow({ package: runPackage, call: howTo, inputs })
    for (const { phase, role } of tasks.tasks ?? []) {
      expect(['early', 'late']).toContain(phase)
      expect(role).toBe('chemist')
    }
    expect(tasks.tasks?.[0]?.inputs).toEqual(['papers'])
    const both = [...inputs, JSON.stringify(tasks)]
    const modules = composeWorkflow({ package: runPackage, call: modularize, inputs: both })
    const read = kind.read(runPackage, [outline, tasks, modules])
    expect(read.findings).toEqual([])
    if (read.content) expect(kind.validate(read.content, runPackage)).toEqual([])
  })

  it('goes on by itself where an earlier answer is none', () => {
    const inputs = ['"not an outline"', 'null']
    const { modules = [] } = composeWorkflow({ package: runPackage, call: modularize, inputs })
    expect(modules.length).toBeGreaterThan(1)
  })

  it('answers the whole draft to a repair', () => {
    const repair: Call = { kind: 'repair', n: 1, brief: 'Correct it.', inputHashes: [] }
    const answer = composeWorkflow({ package: runPackage, call: repair, inputs: ['[]', '[]'] })
    const { content } = kind.read(runPackage, [answer])
    expect(content).toEqual(composed(runPackage))
  })
})
