import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fixtureModule, workflowPackage } from '../fixtures/workflow-package.ts'
import { fixtureWorkflow, workflowContentOf, workflowFixtureDraft } from '../fixtures/workflow.ts'
import type { WorkflowContent, WorkflowDraft } from './schema.ts'
import { workflowKind as kind } from './workflow-kind.ts'

const runPackage = workflowPackage()
const evaluate = (content: WorkflowContent, given = runPackage) =>
  kind.evaluate(content, given, kind.validate(content, given))
const ofDraft = (draft: WorkflowDraft, given = runPackage) =>
  evaluate(workflowContentOf(given, draft), given)
const score = (draft: WorkflowDraft, given = runPackage) => ofDraft(draft, given).score
const coverage = (draft: WorkflowDraft) => ofDraft(draft).metrics[0]?.value ?? NaN
/** The scores of the whole and of every phase, by phase. */
const allScores = (draft: WorkflowDraft) => {
  const { score: whole, phases = [] } = ofDraft(draft)
  return new Map([['whole', whole], ...phases.map(({ id, score: own }) => [id, own] as const)])
}

type Task = WorkflowDraft['tasks'][number]
const spoils: ((task: Task) => unknown)[] = [
  () => undefined,
  () => undefined,
  () => undefined,
  (task) => (task.steps = []),
  (task) => (task.outputs = []),
  (task) => task.inputs.push('thin-air'),
  (task) => (task.role = 'nobody'),
  (task) => task.steps.push('Do it properly, as needed, and so on.'),
  (task) => (task.name = 'Hold a round of talks'),
  (task) => task.inputs.push(`${task.key}-result`),
]

/** Workflows from empty to full, from clean to spoiled. */
const drafts = fc
  .record({
    keep: fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }),
    spoil: fc.array(fc.nat(spoils.length - 1), { minLength: 4, maxLength: 4 }),
    form: fc.constantFrom('checklist', 'steps') as fc.Arbitrary<WorkflowDraft['form']>,
    cut: fc.boolean(),
  })
  .map(({ keep, spoil, form, cut }) => {
    const draft = { ...workflowFixtureDraft(runPackage), form }
    draft.tasks.forEach((task, i) => spoils[spoil[i] ?? 0]?.(task))
    draft.tasks = draft.tasks.filter((_, i) => keep[i])
    if (cut) for (const module of draft.modules) module.dependsOn = []
    return draft
  })
const runs = { numRuns: 150 }

const expectNoRise = (before: Map<string, number>, after: Map<string, number>) => {
  for (const [part, value] of before) expect(after.get(part) ?? 0).toBeLessThanOrEqual(value)
}

describe('the conformance score of a workflow', () => {
  it('is 1 of a clean workflow, and of each of its phases, with nothing to explain', () => {
    for (const given of [runPackage, workflowPackage({ modules: [fixtureModule] })]) {
      const { score: whole, metrics, phases } = evaluate(fixtureWorkflow(given), given)
      expect(metrics.flatMap(({ reasons }) => reasons)).toEqual([])
      expect(whole).toBe(1)
      expect(phases?.map(({ id, score: own }) => [id, own])).toEqual([
        ['onboard', 1],
        ['audit', 1],
      ])
    }
  })

  it('weighs metrics whose weights sum to 1, of the whole and of each phase', () => {
    const { metrics, phases = [] } = evaluate(fixtureWorkflow(runPackage))
    for (const part of [{ metrics }, ...phases]) {
      expect(part.metrics.reduce((sum, { weight }) => sum + weight, 0)).toBeCloseTo(1, 12)
      expect(part.metrics.map(({ name }) => name)).toEqual([
        ...['coverage', 'flow', 'dependencies', 'specificity', 'fit', 'concision'],
      ])
    }
  })

  it('says why it is lower', () => {
    const draft = workflowFixtureDraft(runPackage)
    const [first, , , last] = draft.tasks
    if (!first || !last) throw new Error('no tasks')
    first.inputs = ['thin-air']
    last.steps = ['Do whatever is needed, as appropriate.']
    last.name = 'Look at each of them'
    draft.form = 'narrative'
    const byName = new Map(ofDraft(draft).metrics.map((metric) => [metric.name, metric]))
    expect(byName.get('coverage')?.reasons).toEqual(
      ['onboard', 'chemical', '30'].map((word) => `no task takes up "${word}"`),
    )
    expect(byName.get('flow')?.reasons[0]).toBe(
      'Take suppliers in, task 1: the task file needs "thin-air", which is not there',
    )
    expect(byName.get('specificity')?.reasons).toContain('step 1 of judge says "as appropriate"')
    expect(byName.get('fit')?.reasons[0]).toBe(
      'the style asks for checklist, and the form is narrative',
    )
  })

  it('asks for what style and audience ask for', () => {
    const draft = workflowFixtureDraft(runPackage)
    const fit = (audience: string, style: string) => {
      const given = workflowPackage({ audience, style })
      return ofDraft(draft, given).metrics.find(({ name }) => name === 'fit')
    }
    expect(fit('Procurement officers', 'Checklist')?.value).toBe(1)
    expect(fit('Procurement officers', 'Narrative')?.value).toBe(0.5)
    expect(fit('Surgeons', 'Checklist')?.reasons).toEqual([
      'the audience names "Surgeon", and no role does',
    ])
    expect(fit('New procurement officers', 'Checklist')?.reasons).toContain(
      'the task file does not tell newcomers why',
    )
    expect(fit('Procurement officers', 'Terse checklist')?.reasons).toEqual(
      ['file', 'call', 'judge'].map(
        (task) => `step 1 of ${task} has 15 words, the style asks for 14`,
      ),
    )
  })
})

describe('what cannot raise a score', () => {
  const constant: WorkflowDraft = {
    summary: 'A workflow.',
    form: 'steps',
    roles: [{ key: 'lead', name: 'Lead', duty: 'Leads.' }],
    inputs: [{ key: 'brief', name: 'Brief' }],
    phases: [{ key: 'work', kind: 'produce', name: 'Do the work', goal: 'The work is done.' }],
    tasks: [
      {
        key: 'task',
        name: 'Define goals with everybody',
        phase: 'work',
        role: 'lead',
        steps: ['Gather the team and agree what is wanted.', 'Deliver the results with quality.'],
        inputs: ['brief'],
        outputs: [{ key: 'plan', name: 'Project plan' }],
        done: 'Everyone is content.',
        note: 'This matters.',
      },
    ],
    modules: [
      {
        key: 'module',
        name: 'Work',
        phase: 'work',
        purpose: 'Does the work.',
        registered: null,
        tasks: ['task'],
        dependsOn: [],
      },
    ],
  }

  it.each([
    ['that says the same of every purpose', constant],
    [
      'without anything',
      { ...constant, roles: [], inputs: [], phases: [], tasks: [], modules: [] },
    ],
    ['of phases without tasks', { ...constant, tasks: [], modules: [] }],
  ])('a document that is always the same scores at most 0.05: one %s', (_, draft) => {
    for (const purpose of [
      'Onboard new chemical suppliers and audit their safety data sheets within 30 days',
      'Migrate the billing database to a cloud service without downtime',
      'Reduce forklift accidents in the Rotterdam warehouse',
      'Обучить новых сотрудников технике безопасности',
    ])
      expect(score(draft, workflowPackage({ purpose }))).toBeLessThanOrEqual(0.05)
  })

  it('echoing the purpose in one task', () => {
    const { purpose } = fixtureWorkflow(runPackage).metadata
    const [task] = constant.tasks
    if (!task) throw new Error('no task')
    const echo = {
      ...constant,
      tasks: [{ ...task, name: purpose, steps: [`${purpose}.`], done: purpose }],
    }
    expect(score(echo)).toBeLessThan(0.45)
  })

  it('repeating a task or a module', () => {
    fc.assert(
      fc.property(drafts, fc.nat(), fc.boolean(), (given, pick, sameKey) => {
        const draft = structuredClone(given)
        const before = allScores(draft)
        const task = draft.tasks[pick % Math.max(1, draft.tasks.length)]
        // What needs its own result would get it from its copy: that mends it.
        const isOwn = task?.inputs.includes(`${task.key}-result`)
        if (task && !isOwn) {
          const copy = { ...structuredClone(task), key: sameKey ? task.key : `${task.key}-again` }
          if (!sameKey)
            copy.outputs = copy.outputs.map((one) => ({ ...one, key: `${one.key}-again` }))
          draft.tasks = draft.tasks.toSpliced(pick % draft.tasks.length, 0, copy)
        }
        expectNoRise(before, allScores(draft))
        const module = draft.modules[pick % draft.modules.length]
        const again = allScores(draft)
        if (module) draft.modules = [...draft.modules, { ...module, key: `${module.key}-again` }]
        expectNoRise(again, allScores(draft))
      }),
      runs,
    )
  })

  it('padding: steps, notes, tasks and phases that say nothing of the purpose', () => {
    const paddings: ((draft: WorkflowDraft, task: Task) => unknown)[] = [
      (_, task) => task.steps.push('Hold a short talk about how it went on that afternoon.'),
      (_, task) => task.steps.push('Proceed as appropriate, and involve relevant stakeholders.'),
      (_, task) => (task.note += ' It is, all in all, an interesting task.'),
      (_, task) => (task.done += ' Everybody nods, and a glass is raised to it.'),
      (draft, task) =>
        draft.tasks.push({
          ...constant.tasks[0]!,
          key: 'padding',
          phase: task.phase,
          inputs: task.outputs.map(({ key }) => key),
          outputs: [{ key: 'padding-result', name: 'More' }],
        }),
      (draft) =>
        draft.phases.push({ key: 'more', kind: 'sustain', name: 'Further on', goal: 'More.' }),
      (draft) => draft.roles.push({ key: 'guest', name: 'Guest', duty: 'Looks on.' }),
      (draft) => draft.inputs.push({ key: 'mood', name: 'Good mood' }),
    ]
    fc.assert(
      fc.property(drafts, fc.nat(), fc.nat(), (given, at, which) => {
        const draft = structuredClone(given)
        const task = draft.tasks[at % Math.max(1, draft.tasks.length)]
        // A first step, or a first result, is no padding.
        if (!task || task.steps.length === 0 || task.outputs.length === 0) return
        const before = allScores(draft)
        paddings[which % paddings.length]?.(draft, task)
        expectNoRise(before, allScores(draft))
      }),
      runs,
    )
  })

  it('another order of phases, tasks, steps, roles, inputs or modules', () => {
    fc.assert(
      fc.property(drafts, fc.infiniteStream(fc.nat()), (draft, numbers) => {
        const shuffled = <T>(list: readonly T[]): T[] =>
          list
            .map((value) => ({ value, by: numbers.next().value ?? 0 }))
            .sort((a, b) => a.by - b.by)
            .map(({ value }) => value)
        const before = allScores(draft)
        const other = {
          ...draft,
          roles: shuffled(draft.roles),
          inputs: shuffled(draft.inputs),
          phases: shuffled(draft.phases),
          tasks: shuffled(draft.tasks.map((task) => ({ ...task, steps: shuffled(task.steps) }))),
          modules: shuffled(draft.modules),
        }
        const after = allScores(other)
        for (const [part, value] of before) expect(after.get(part)).toBe(value)
      }),
      runs,
    )
  })
})

describe('coverage', () => {
  it('never falls when a missing task is added', () => {
    fc.assert(
      fc.property(drafts, fc.nat(3), (draft, i) => {
        const before = coverage(draft)
        const missing = workflowFixtureDraft(runPackage).tasks[i]
        if (!missing || draft.tasks.some(({ key }) => key === missing.key)) return
        expect(coverage({ ...draft, tasks: [...draft.tasks, missing] })).toBeGreaterThanOrEqual(
          before,
        )
      }),
      runs,
    )
  })

  it('rises with the word of the purpose that a new task takes up', () => {
    const draft = workflowFixtureDraft(runPackage)
    const without = { ...draft, tasks: draft.tasks.slice(0, 3) }
    expect(coverage(without)).toBeLessThan(coverage(draft))
  })
})
