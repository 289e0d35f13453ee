import {
  tasksOf,
  workflowContent,
  workflowDraft,
  workflowKind as kind,
  type Call,
  type WorkflowContent,
  type WorkflowDraft,
} from '@almanac/documents'
import { variantStrategies, type FindingCode, type RunPackage } from '@almanac/domain'
import { describe, expect, it } from 'vitest'
import { seeded } from '../../../../../../test/support/report-defects.ts'
import {
  withWorkflowDefects,
  workflowDefects,
  type WorkflowDefectName,
} from '../../../../../../test/support/workflow-defects.ts'
import { workflowFixtureDraft } from '../../../../../documents/src/fixtures/workflow.ts'
import {
  fixtureModule,
  workflowPackage,
  type WorkflowFixture,
} from '../../../../../documents/src/fixtures/workflow-package.ts'
import { createDeterministicEngine } from '../../engine.ts'
import { composeWorkflow } from '../compose-workflow.ts'
import { draftOf } from './draft.ts'
import { improveWorkflow } from './improve-workflow.ts'

const wholeDraft: Call = { kind: 'draft', n: 1, brief: 'Write it.', inputHashes: [] }
const packageOf = (over: WorkflowFixture = {}) =>
  workflowPackage({ modules: [fixtureModule], ...over })
const composed = (runPackage: RunPackage): WorkflowDraft =>
  workflowDraft.parse(composeWorkflow({ package: runPackage, call: wholeDraft, inputs: [] }))

function contentOf(runPackage: RunPackage, draft: unknown): WorkflowContent {
  const { content, findings } = kind.read(runPackage, [draft])
  if (!content) throw new Error(JSON.stringify(findings))
  return content
}

function judged(runPackage: RunPackage, content: WorkflowContent) {
  const findings = kind.validate(content, runPackage)
  const { score, metrics } = kind.evaluate(content, runPackage, findings)
  const metric = (name: string) => metrics.find((one) => one.name === name)?.value
  return { findings, codes: new Set(findings.map(({ code }) => code)), score, metric }
}

const improved = (runPackage: RunPackage, content: WorkflowContent, strategy: string) =>
  contentOf(runPackage, improveWorkflow(runPackage, content, { strategy }))

/** A defect, the finding or the metric that it is seen by, and the strategy that mends it. */
const cases: [WorkflowDefectName, FindingCode | string, string][] = [
  ['droppedTasks', 'coverage', 'coverage-gaps'],
  ['droppedPhase', 'coverage', 'coverage-gaps'],
  ['emptiedTasks', 'MISSING_SECTION', 'coverage-gaps'],
  ['lostOutputs', 'MISSING_SECTION', 'coverage-gaps'],
  ['lostModule', 'MISSING_SECTION', 'coverage-gaps'],
  ['noRoles', 'MISSING_SECTION', 'coverage-gaps'],
  ['vagueSteps', 'specificity', 'evidence-depth'],
  ['strayTasks', 'specificity', 'evidence-depth'],
  ['overLongTexts', 'TOO_LONG', 'brevity'],
  ['longNotes', 'TOO_LONG', 'brevity'],
  ['copiedSteps', 'DUPLICATE_ITEM', 'brevity'],
  ['unknownRoles', 'UNKNOWN_REFERENCE', 'restructure'],
  ['unknownInputs', 'UNKNOWN_REFERENCE', 'restructure'],
  ['unknownDependencies', 'UNKNOWN_REFERENCE', 'restructure'],
  ['circularTasks', 'DEPENDENCY_CYCLE', 'restructure'],
  ['circularModules', 'DEPENDENCY_CYCLE', 'restructure'],
  ['copiedTasks', 'DUPLICATE_ITEM', 'restructure'],
  ['wrongForm', 'fit', 'restructure'],
]

describe.each([
  ['the composer’s', composed, 'Migrate the billing database to a cloud service by 30 June'],
  ['another’s', workflowFixtureDraft, undefined],
] as const)('a workflow of %s own', (_, write, purpose) => {
  const runPackage = packageOf(purpose === undefined ? {} : { purpose })
  const draft = write(runPackage)
  const clean = contentOf(runPackage, draft)
  const faulty = (name: WorkflowDefectName) =>
    contentOf(runPackage, workflowDefects[name](draft, seeded(7)))

  it.each(cases)('with %s shows it in %s, and %s mends it', (name, seen, strategy) => {
    const base = faulty(name)
    const [before, after] = [base, improved(runPackage, base, strategy)].map((content) =>
      judged(runPackage, content),
    )
    const isMetric = before?.metric(seen) !== undefined
    const share = (one: typeof before) =>
      isMetric ? one?.metric(seen) : one?.codes.has(seen as FindingCode) ? 0 : 1
    expect(share(before)).toBeLessThan(1)
    expect(share(after)).toBeGreaterThan(isMetric ? (share(before) ?? 1) : 0)
    expect(after?.score).toBeGreaterThan(before?.score ?? 1)
  })

  it('is never worse for a strategy, nor has a new kind of finding, whatever is wrong with it', () => {
    for (const name of Object.keys(workflowDefects) as WorkflowDefectName[])
      for (const strategy of [...variantStrategies, 'house-style']) {
        const base = faulty(name)
        const before = judged(runPackage, base)
        const after = judged(runPackage, improved(runPackage, base, strategy))
        expect(after.score, `${name} ${strategy}`).toBeGreaterThanOrEqual(before.score)
        expect(after.findings.length).toBeLessThanOrEqual(before.findings.length)
        for (const code of after.codes) expect(before.codes, `${name} ${strategy}`).toContain(code)
      }
  })

  it('stays as it is where nothing is wrong', () => {
    for (const strategy of [...variantStrategies, 'house-style'])
      expect(improved(runPackage, clean, strategy), strategy).toEqual(clean)
  })

  it('is sound again after one strategy that knows everything', () => {
    for (const name of Object.keys(workflowDefects) as WorkflowDefectName[]) {
      const { findings } = judged(runPackage, improved(runPackage, faulty(name), 'house-style'))
      expect(findings, name).toEqual([])
    }
  })
})

describe('any workflow', () => {
  it('with whatever is wrong with it stays readable, and is sound after all that can be done', () => {
    const names = Object.keys(workflowDefects) as WorkflowDefectName[]
    for (let seed = 1; seed <= 100; seed += 1) {
      const random = seeded(seed)
      const runPackage = packageOf({
        ...(random() < 0.5 && { modules: [] }),
        ...(random() < 0.3 && { audience: 'New interns' }),
      })
      const draft = (random() < 0.5 ? composed : workflowFixtureDraft)(runPackage)
      const picked = names.filter(() => random() < 0.25)
      const base = contentOf(runPackage, withWorkflowDefects(draft, picked, random))
      const before = judged(runPackage, base).findings.length
      for (const strategy of variantStrategies) {
        const { findings } = judged(runPackage, improved(runPackage, base, strategy))
        expect(findings.length, `${seed}: ${picked.join()}`).toBeLessThanOrEqual(before)
      }
      const { findings, score } = judged(runPackage, improved(runPackage, base, 'house-style'))
      expect(findings, `${seed}: ${picked.join()}`).toEqual([])
      expect(score).toBeGreaterThan(0.85)
    }
  })
})

describe('what the strategies write', () => {
  const runPackage = packageOf()
  const content = contentOf(runPackage, workflowFixtureDraft(runPackage))
  const withTask = (id: string, change: object): WorkflowContent =>
    workflowContent.parse({
      ...content,
      phases: content.phases.map((phase) => ({
        ...phase,
        tasks: phase.tasks.map((task) => (task.id === id ? { ...task, ...change } : task)),
      })),
    })
  const taskAfter = (base: WorkflowContent, strategy: string, id: string) =>
    tasksOf(improved(runPackage, base, strategy)).find(({ task }) => task.id === id)?.task

  it('gives phases back their order, and tasks theirs', () => {
    const own = composed(runPackage)
    const turned = contentOf(runPackage, {
      ...own,
      phases: own.phases.toReversed(),
      tasks: own.tasks.toReversed(),
    })
    expect(draftOf(improved(runPackage, turned, 'restructure'))).toMatchObject({
      phases: own.phases,
      tasks: own.tasks,
    })
    const others = contentOf(runPackage, {
      ...draftOf(content),
      phases: draftOf(content).phases.toReversed(),
    })
    expect(improved(runPackage, others, 'restructure').phases).toEqual(content.phases)
  })

  it('takes the empty words out of a step, and leaves what it says', () => {
    const base = withTask('call', {
      steps: ['Call the bank as appropriate, and note the answer.', 'Ring again, etc.'],
    })
    expect(taskAfter(base, 'evidence-depth', 'call')?.steps).toEqual([
      'Call the bank, and note the answer.',
    ])
  })

  it('ties a task that has nothing to do with the purpose to the part that its phase serves', () => {
    const base = withTask('call', {
      name: 'Phone the bank',
      steps: ['Phone the bank and note the answer.'],
      outputs: [{ id: 'call-result', name: 'Note of the call' }],
      done: 'The note is dated.',
    })
    expect(taskAfter(base, 'evidence-depth', 'call')?.outputs).toEqual([
      { id: 'call-result', name: 'Note of the call for the new chemical suppliers' },
    ])
  })

  it('links such a task to the one before it in its module, where it took nothing from any', () => {
    const base = withTask('call', { steps: ['Call as needed.'], inputs: ['applications'] })
    expect(taskAfter(base, 'evidence-depth', 'call')?.inputs).toEqual([
      'applications',
      'file-result',
    ])
  })

  it('divides a step that is longer than the style asks for between its sentences', () => {
    const sentence = (n: number) =>
      `Sheet ${n} is laid beside the list of the supplier, line by line, and each line is ticked off by two.`
    const base = withTask('judge', { steps: [`${sentence(1)} ${sentence(2)}`] })
    expect(taskAfter(base, 'restructure', 'judge')?.steps).toEqual([sentence(1), sentence(2)])
    expect(taskAfter(base, 'brevity', 'judge')?.steps).toEqual([sentence(1)])
  })

  it('takes markup and unseen characters out of texts, and keeps the words', () => {
    const base = withTask('judge', {
      note: 'See <b>the list</b> [here](https://example.com/x), javascript:alert(1).\u200b',
    })
    expect(judged(runPackage, base).codes).toContain('UNSAFE_TEXT')
    const after = improved(runPackage, base, 'restructure')
    expect(judged(runPackage, after).codes).not.toContain('UNSAFE_TEXT')
    expect(taskAfter(base, 'restructure', 'judge')?.note).toBe(
      'See the list here, javascript alert(1).',
    )
  })

  it('tells newcomers why, in the composer’s words where it knows the task', () => {
    const forInterns = packageOf({ audience: 'New interns' })
    const own = composed(forInterns)
    const silent = contentOf(forInterns, {
      ...own,
      tasks: own.tasks.map((task) => ({ ...task, note: '' })),
    })
    const after = draftOf(improved(forInterns, silent, 'restructure'))
    expect(after.tasks.map(({ note }) => note)).toEqual(own.tasks.map(({ note }) => note))
  })
})

describe('a call for a variant', () => {
  const runPackage = packageOf()
  const engine = createDeterministicEngine()
  const brief = { strategy: 'restructure', task: 'Put it in order.', findings: [], checks: [] }
  const answer = (over: Partial<Call>, inputs: string[]) => {
    const request = {
      package: runPackage,
      call: { ...wholeDraft, kind: 'variant' as const, brief: JSON.stringify(brief), ...over },
      inputs,
      prompt: { instructions: '', input: '' },
      jsonSchema: {},
      maxOutputTokens: 16_000,
    }
    return engine.generate(request, engine.body(request), new AbortController().signal)
  }

  it('is answered with the whole draft of the workflow that it is given', async () => {
    const draft = workflowFixtureDraft(runPackage)
    const content = contentOf(runPackage, workflowDefects.unknownRoles(draft, seeded(7)))
    const outcome = await answer({}, [JSON.stringify(content)])
    expect(outcome).toMatchObject({
      kind: 'completed',
      output: improveWorkflow(runPackage, content, brief),
    })
  })

  it('is refused without a brief or a workflow', async () => {
    const refused = {
      kind: 'misconfigured',
      status: 422,
      code: 'a variant needs a workflow and a brief',
    }
    const content = contentOf(runPackage, composed(runPackage))
    expect(await answer({ brief: 'Improve it.' }, [JSON.stringify(content)])).toEqual(refused)
    expect(await answer({}, ['{}'])).toEqual(refused)
    expect(await answer({}, [])).toEqual(refused)
  })
})
