import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fixtureModule, workflowPackage } from '../../fixtures/workflow-package.ts'
import { fixtureWorkflow } from '../../fixtures/workflow.ts'
import type { Call } from '../../kind.ts'
import { cycles } from '../graph.ts'
import { workflowLimits } from '../limits.ts'
import type { WorkflowContent, WorkflowPartsDraft, WorkflowPhase } from '../schema.ts'
import { moduleDependencies, taskDependencies, tasksOf } from '../task-list.ts'
import { workflowKind as kind } from '../workflow-kind.ts'
import { phasesToExpand } from './ask.ts'
import { complexityOf } from './complexity.ts'
import { replacePhase } from './replace-phase.ts'
import { anyWorkflow, partsOf, runPackage } from './testing/any-workflow.ts'

const clean = fixtureWorkflow(runPackage)
const at = <T>(list: readonly T[], i: number): T => {
  const one = list[i]
  if (one === undefined) throw new Error(`no element ${i}`)
  return one
}

const wanted = (above: number, over: object = {}) => ({ above, most: 12, tried: [], ...over })
const callFor = (content: WorkflowContent, id: string): Call => {
  const part = at(
    phasesToExpand(content, wanted(1)).filter((one) => one.id === id),
    0,
  )
  return { kind: 'expand', n: 1, part: id, brief: part.brief, inputHashes: [] }
}

function expanded(content: WorkflowContent, phase: WorkflowPhase, answer: WorkflowPartsDraft) {
  return replacePhase(runPackage, content, callFor(content, phase.id), answer)
}

describe('the complexity of a phase', () => {
  it('is its tasks, what goes in, what comes out, and what of it depends on each other', () => {
    expect(complexityOf(clean, at(clean.phases, 1))).toEqual({
      tasks: 2,
      inputs: 1,
      outputs: 2,
      dependencies: 1,
      total: 6,
    })
  })

  it('follows from its links alone: not from words, and not from the order of anything', () => {
    fc.assert(
      fc.property(anyWorkflow, (content) => {
        for (const [p, phase] of content.phases.entries()) {
          const other = structuredClone(content)
          const same = at(other.phases, p)
          same.tasks.reverse()
          for (const task of same.tasks)
            Object.assign(task, { steps: ['Something else.'], note: 'x' })
          other.phases.reverse()
          expect(complexityOf(other, same)).toEqual(complexityOf(content, phase))
        }
      }),
    )
  })
})

describe('which phases are expanded', () => {
  const ids = (content: WorkflowContent, above: number, over: object = {}) =>
    phasesToExpand(content, wanted(above, over)).map(({ id }) => id)

  it('is decided by the limit: those above it, none at it', () => {
    expect([5, 6, 7].map((above) => ids(clean, above))).toEqual([['onboard', 'audit'], [], []])
  })

  it('leaves out what was tried before, and what there are no children for', () => {
    expect(ids(clean, 5, { tried: ['onboard'] })).toEqual(['audit'])
    expect(ids(clean, 5, { most: 1 })).toEqual(['onboard'])
  })

  it('is nothing where a phase has a single task, or no other phase has room', () => {
    const single = structuredClone(clean)
    at(single.phases, 1).tasks.length = 1
    expect(ids(single, 1)).toEqual(['onboard'])
    const full = structuredClone(clean)
    while (full.phases.length < workflowLimits.phases)
      full.phases.push({ ...at(clean.phases, 0), id: `more-${full.phases.length}`, tasks: [] })
    expect(ids(full, 1)).toEqual([])
    full.phases.pop()
    expect(ids(full, 1)).toEqual(['onboard'])
  })

  it('gives all of them together no more sub-phases than fit', () => {
    fc.assert(
      fc.property(anyWorkflow, fc.integer({ min: 1, max: 12 }), (content, most) => {
        const parts = phasesToExpand(content, wanted(4, { most }))
        const room = parts.map(
          ({ brief }) => (JSON.parse(brief) as { mostPhases: number }).mostPhases,
        )
        expect(parts.length).toBeLessThanOrEqual(most)
        for (const one of room) expect(one).toBeGreaterThanOrEqual(2)
        const after = content.phases.length - parts.length + room.reduce((sum, n) => sum + n, 0)
        expect(after).toBeLessThanOrEqual(workflowLimits.phases)
      }),
    )
  })
})

/** A workflow, one of its phases with several tasks, and where that is cut into sub-phases. */
const anyExpansion = anyWorkflow
  .map((content) => ({ content, phases: content.phases.filter(({ tasks }) => tasks.length > 1) }))
  .filter(({ phases }) => phases.length > 0)
  .chain(({ content, phases }) =>
    fc.constantFrom(...phases).chain((phase) =>
      fc.record({
        content: fc.constant(content),
        phase: fc.constant(phase),
        cuts: fc.uniqueArray(fc.integer({ min: 1, max: phase.tasks.length - 1 }), {
          minLength: 1,
          maxLength: 3,
        }),
      }),
    ),
  )

const everyId = (content: WorkflowContent): string[] => [
  ...[...content.roles, ...content.inputs, ...content.phases, ...content.modules].map(
    ({ id }) => id,
  ),
  ...tasksOf(content).flatMap(({ task }) => [task.id, ...task.outputs.map(({ id }) => id)]),
]

describe('a workflow whose phase was replaced', () => {
  it('is as valid as before, keeps its ids and tasks, and waits for nothing in a circle', () => {
    let divided = 0
    fc.assert(
      fc.property(anyExpansion, ({ content, phase, cuts }) => {
        const before = kind.validate(content, runPackage)
        expect(before).toEqual([])
        const { content: after, findings } = expanded(content, phase, partsOf(phase, cuts))
        expect(findings).toEqual([])
        if (!after) return
        expect(kind.validate(kind.parse(after), runPackage)).toEqual([])
        expect(kind.evaluate(after, runPackage, []).score).toBeGreaterThanOrEqual(
          kind.evaluate(content, runPackage, []).score,
        )
        expect(cycles(taskDependencies(after))).toEqual([])
        expect(cycles(moduleDependencies(after))).toEqual([])
        const ids = everyId(after)
        expect(new Set(ids).size).toBe(ids.length)
        for (const id of everyId(content)) if (id !== phase.id) expect(ids).toContain(id)
        expect(tasksOf(after).map(({ task }) => task)).toEqual(
          tasksOf(content).map(({ task }) => task),
        )
        expect(after.phases.filter(({ within }) => !within)).toEqual(
          content.phases.filter((one) => one !== phase),
        )
        if (after.modules.length > content.modules.length) divided += 1
      }),
      { numRuns: 300 },
    )
    // Of the cases some divide a module, and some do not.
    expect(divided).toBeGreaterThan(20)
  })

  it('waits for everything that it waited for: whatever became of a module stands for it', () => {
    fc.assert(
      fc.property(anyExpansion, ({ content, phase, cuts }) => {
        const { content: after } = expanded(content, phase, partsOf(phase, cuts))
        if (!after) throw new Error('it was not replaced')
        const became = (id: string) => {
          const tasks = content.modules.find((module) => module.id === id)?.tasks ?? []
          return after.modules.filter((module) => module.tasks.some((task) => tasks.includes(task)))
        }
        for (const { id, dependsOn } of content.modules)
          for (const other of dependsOn)
            for (const needed of became(other))
              for (const module of became(id)) expect(module.dependsOn).toContain(needed.id)
      }),
      { numRuns: 200 },
    )
  })

  it('tells of each sub-phase what it is within, and of one that is expanded again all of it', () => {
    const [phase] = clean.phases
    if (!phase) throw new Error('no phase')
    const big = structuredClone(clean)
    const first = at(big.phases, 0)
    first.tasks = [0, 1, 2, 3].map((n) => ({
      ...at(first.tasks, 0),
      ...{ id: `t${n}`, name: `Onboard ${n}`, inputs: [n === 0 ? 'applications' : `o${n - 1}`] },
      outputs: [{ id: `o${n}`, name: `Thing ${n}` }],
    }))
    at(big.modules, 0).tasks = first.tasks.map(({ id }) => id)
    const once = expanded(big, first, partsOf(first, [2])).content
    const half = at(once?.phases ?? [], 1)
    expect(half).toMatchObject({
      id: 'onboard-2',
      within: [{ id: 'onboard', name: phase.name, goal: phase.goal }],
    })
    if (!once) return
    const twice = expanded(once, half, partsOf(half, [1])).content
    expect(twice?.phases.map(({ id, within = [] }) => [id, within.map((one) => one.id)])).toEqual([
      ['onboard-1', ['onboard']],
      ['onboard-2-1', ['onboard', 'onboard-2']],
      ['onboard-2-2', ['onboard', 'onboard-2']],
      ['audit', []],
    ])
  })

  it('keeps a registered module of the phase, after what it waits for', () => {
    const given = workflowPackage({ modules: [fixtureModule] })
    const content = fixtureWorkflow(given)
    const phase = at(content.phases, 1)
    const call = callFor(content, phase.id)
    const { content: after } = replacePhase(given, content, call, partsOf(phase, [1]))
    expect(after && kind.validate(after, given)).toEqual([])
    expect(after?.modules.map(({ id, phase: own, dependsOn }) => [id, own, dependsOn])).toEqual([
      ['intake', 'onboard', []],
      ['verdict', 'audit-1', ['intake']],
      ['verdict-2', 'audit-2', ['intake', 'verdict']],
      ['use-data-sheet-check', 'audit-2', ['verdict', 'verdict-2']],
    ])
  })

  it('may have a task divided, as long as its output is made', () => {
    const phase = at(clean.phases, 1)
    const parts = partsOf(phase, [1])
    const judge = at(parts.tasks, 1)
    const [first, second] = [
      {
        ...{ ...judge, key: 'judge-first', name: 'Audit the first half of the sheets' },
        ...{ steps: ['Read the first half within 30 days.'], done: 'Half is read.' },
        outputs: [{ key: 'half-result', name: 'First half' }],
      },
      { ...judge, key: 'judge-second', inputs: ['collect-result', 'half-result'] },
    ]
    const more = { ...parts, tasks: [at(parts.tasks, 0), first, second] }
    // One more task makes a part as complex as the whole, so it gets a part of its own.
    more.phases = [
      ...parts.phases,
      { ...at(parts.phases, 1), key: 'audit-3', name: 'Audit sheets' },
    ]
    second.phase = 'audit-3'
    const { content: after, findings } = expanded(clean, phase, more)
    expect(findings).toEqual([])
    expect(after && kind.validate(after, runPackage)).toEqual([])
    expect(after?.modules.map(({ id, tasks }) => [id, tasks])).toEqual([
      ['intake', ['file', 'call']],
      ['verdict', ['collect']],
      ['verdict-2', ['judge-first']],
      ['verdict-3', ['judge-second']],
    ])
  })
})

describe('an answer that is no expansion', () => {
  const phase = at(clean.phases, 1)
  const found = (change: (answer: WorkflowPartsDraft) => unknown) => {
    const answer = partsOf(phase, [1])
    change(answer)
    const { content, findings } = expanded(clean, phase, answer)
    expect(content).toBeUndefined()
    return findings.map(({ code, path }) => `${code} ${path}`)
  }

  it.each<[string, (answer: WorkflowPartsDraft) => unknown, string[]]>([
    [
      'has a single sub-phase, as complex as the phase',
      (answer) => {
        answer.phases.pop()
        for (const task of answer.tasks) task.phase = 'audit-1'
      },
      ['SCHEMA_INVALID /phases', 'TOO_LONG /phases/0'],
    ],
    ['loses an output', (answer) => answer.tasks.pop(), ['MISSING_SECTION /tasks']],
    [
      'has sub-phases that wait for each other',
      (answer) => {
        at(answer.tasks, 0).inputs.push('third-result')
        answer.tasks.push({
          ...at(answer.tasks, 1),
          ...{ key: 'third', name: 'Something third', steps: ['A third step.'] },
          outputs: [{ key: 'third-result', name: 'Third' }],
          phase: 'audit-2',
        })
      },
      ['DEPENDENCY_CYCLE /phases'],
    ],
    [
      'has the key of the phase',
      (answer) => {
        at(answer.phases, 0).key = 'audit'
        at(answer.tasks, 0).phase = 'audit'
      },
      ['DUPLICATE_ITEM /phases/0/key'],
    ],
    [
      'has tasks of a phase that is not in it',
      (answer) => (at(answer.tasks, 0).phase = 'onboard'),
      ['UNKNOWN_REFERENCE /tasks/0/phase'],
    ],
    [
      'has no key',
      (answer) => (at(answer.phases, 0).key = 'No Key'),
      ['SCHEMA_INVALID /phases/0/key', 'UNKNOWN_REFERENCE /tasks/0/phase'],
    ],
  ])('%s', (_, change, codes) => {
    expect(found(change)).toEqual(codes)
  })

  it('is anything else', () => {
    for (const answer of [null, 'nothing', [], { phases: [] }, { phases: 1, tasks: 2 }])
      expect(
        replacePhase(runPackage, clean, callFor(clean, 'audit'), answer).findings[0]?.code,
      ).toBe('SCHEMA_INVALID')
  })
})

describe('the call that expands a phase', () => {
  const call = callFor(clean, 'audit')
  const repair: Call = { ...call, kind: 'repair', part: '1-1', corrects: 'expand' }

  it('answers sub-phases and tasks alone, and so does its repair', () => {
    for (const one of [call, repair])
      expect(Object.keys(kind.callSchema?.(runPackage, one)['properties'] ?? {})).toEqual([
        'phases',
        'tasks',
      ])
    const whole: Call = { kind: 'repair', n: 1, brief: 'x', inputHashes: [] }
    expect(kind.callSchema?.(runPackage, whole)).toEqual(runPackage.output.jsonSchema)
  })

  it('is a pure function of package, call and inputs, with the package whole', () => {
    const inputs = [JSON.stringify(clean)]
    const prompt = kind.prompt(runPackage, call, inputs)
    expect(kind.prompt(structuredClone(runPackage), structuredClone(call), [...inputs])).toEqual(
      prompt,
    )
    expect(prompt.input).toContain('"packageVersion":1')
    expect(prompt.input).toContain(inputs[0])
    expect(prompt.instructions).toContain('From 2 to 6 sub-phases')
    expect(prompt.instructions).not.toContain('Input 2 is an earlier answer')
    expect(kind.prompt(runPackage, repair, inputs).instructions).toContain(
      'Input 2 is an earlier answer',
    )
  })
})

describe('a version that an engine answered whole', () => {
  it('keeps what its sub-phases are within', () => {
    const phase = at(clean.phases, 1)
    const parent = expanded(clean, phase, partsOf(phase, [1])).content
    if (!parent) throw new Error('it was not replaced')
    const answered = structuredClone(parent)
    for (const one of answered.phases) delete one.within
    answered.summary = 'Another summary of it all.'
    expect(kind.inherit?.(answered, parent)).toEqual({ ...parent, summary: answered.summary })
    expect(kind.inherit?.(answered, clean)).toEqual(answered)
  })
})
