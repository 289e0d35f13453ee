import { callKey, type DocumentKind } from '@almanac/documents'
import { canonicalJson, evaluation, finding, type Json, type RunPackage } from '@almanac/domain'
import assert from 'node:assert/strict'
import { assertPure, assertTimeless, check, type Check } from './check.ts'
import { hostileTexts, sampleAnswers } from './samples.ts'

export interface KindSample {
  package: RunPackage
  /** Answers of an engine that make a document without errors. */
  answers: readonly unknown[]
}

// A script, a terminal code, a reversed direction of reading.
// eslint-disable-next-line no-control-regex
const active = /<script|\u001b|\u202e/i

/** What engines have answered in earnest. */
const nonsense: readonly (readonly unknown[])[] = [
  [],
  [null],
  ['I am sorry, but'],
  [{}],
  [[]],
  [{ sections: 'none' }],
  [{ ok: true }],
]

/**
 * What every kind of document holds to: pure, total over whatever an engine answers, content that
 * survives its storage, measures that sum up, an outline that loses nothing, and inert renderings.
 */
export function kindConformance<Content extends Json>(
  kind: DocumentKind<Content>,
  samples: readonly KindSample[] = defaultSamples(kind.name),
): Check[] {
  const read = ({ package: runPackage, answers }: KindSample): Content => {
    const { content, findings } = kind.read(runPackage, answers)
    if (content === undefined) assert.fail(`the sample cannot be read: ${JSON.stringify(findings)}`)
    return content
  }
  const each =
    (test: (sample: KindSample, content: Content) => void | Promise<void>) => async () => {
      assert.ok(samples.length > 0, `there are no samples of the kind ${kind.name}`)
      for (const sample of samples) await test(sample, read(sample))
    }
  return [
    check(
      'asks for calls with names of their own, in words that follow from the package alone',
      each(async ({ package: runPackage }) => {
        const calls = await assertPure(kind.calls.bind(kind), runPackage, 'calls')
        assert.ok(calls.length > 0, 'it makes no call')
        assert.equal(new Set(calls.map(callKey)).size, calls.length, 'two calls have one key')
        for (const call of calls) {
          const prompt = await assertPure(
            (given) => kind.prompt(given.runPackage, given.call, []),
            { runPackage, call },
            'prompt',
          )
          assert.ok(prompt.instructions !== '' && prompt.input !== '', 'a prompt is empty')
        }
        const { specification, scope, limits } = runPackage
        const schema = () => kind.jsonSchema({ specification, scope, limits })
        assert.equal(canonicalJson(schema()), canonicalJson(schema()), 'the schema changes')
      }),
    ),
    check(
      'finds errors in nonsense, and throws at none',
      each(({ package: runPackage }) => {
        for (const answers of nonsense) {
          const { content, findings } = kind.read(runPackage, answers)
          assert.equal(content, undefined, `${JSON.stringify(answers)} was read`)
          assert.ok(
            findings.some(({ severity }) => severity === 'error'),
            `${JSON.stringify(answers)} has no error`,
          )
        }
      }),
    ),
    check(
      'has content that comes back from its storage as it was, and refuses other content',
      each((_, content) => {
        const stored = canonicalJson(content)
        assert.equal(canonicalJson(kind.parse(JSON.parse(stored))), stored)
        for (const other of [null, 'text', 7, { kind: 'another' }, []])
          assert.throws(() => kind.parse(other), `${JSON.stringify(other)} was parsed`)
      }),
    ),
    check(
      'judges purely, and finds no error in the sample',
      each(async ({ package: runPackage }, content) => {
        const given = { content, runPackage }
        const findings = await assertPure(
          (one) => kind.validate(one.content, one.runPackage),
          given,
          'validate',
        )
        for (const one of findings) finding.parse(one)
        assert.deepEqual(
          findings.filter(({ severity }) => severity === 'error'),
          [],
        )
        await assertTimeless(() => kind.validate(content, runPackage), 'validate')
      }),
    ),
    check(
      'measures purely, from 0 to 1, with reasons, by weights that sum to 1',
      each(async ({ package: runPackage }, content) => {
        const findings = kind.validate(content, runPackage)
        const judged = await assertPure(
          (one) => kind.evaluate(one.content, one.runPackage, [...one.findings]),
          { content, runPackage, findings },
          'evaluate',
        )
        const { score, metrics } = evaluation.parse(judged)
        const sum = (of: (metric: (typeof metrics)[number]) => number) =>
          metrics.reduce((total, metric) => total + of(metric), 0)
        assert.ok(Math.abs(sum(({ weight }) => weight) - 1) < 1e-6, 'the weights do not sum to 1')
        const mean = sum(({ weight, value }) => weight * value)
        assert.ok(Math.abs(mean - score) < 1e-3, `the score is ${score}, its metrics say ${mean}`)
        assert.equal(new Set(metrics.map(({ name }) => name)).size, metrics.length)
        for (const { name, value, reasons } of metrics)
          assert.ok(value === 1 || reasons.length > 0, `${name} is ${value} for no reason`)
        await assertTimeless(() => kind.evaluate(content, runPackage, findings), 'evaluate')
      }),
    ),
    check(
      'has an outline of which the content can be composed again',
      each((_, content) => {
        const outline = kind.outline(content)
        const seen = new Set<string>()
        for (const { id, parentId } of outline) {
          assert.ok(id !== '' && !seen.has(id), `the id ${JSON.stringify(id)} is used twice`)
          assert.ok(parentId === null || seen.has(parentId), `${id} stands before its parent`)
          seen.add(id)
        }
        const elements = outline.map(({ level, id, parentId, value }) => ({
          ...{ level, id, parentId, value },
        }))
        assert.equal(canonicalJson(kind.compose(elements)), canonicalJson(content))
      }),
    ),
    check(
      'renders purely, says what it is, and lets nothing run',
      each(async ({ package: runPackage }, content) => {
        const findings = kind.validate(content, runPackage)
        const input = {
          metadata: metadataOf(kind.name, runPackage),
          evaluation: kind.evaluate(content, runPackage, findings),
          ...{ content, findings, package: runPackage },
        }
        for (const format of ['json', 'markdown', 'html'] as const) {
          const render = (given: typeof input) => kind.render[format](given)
          const text = await assertPure(render, input, format)
          // Markdown escapes its own signs.
          assert.match(text, /non\\?_operational\\?_output/, `${format}: no classification`)
          const trial = render({ ...input, metadata: { ...input.metadata, test: true } })
          assert.notEqual(trial, text, `${format}: a test run looks like another`)
          await assertTimeless(() => render(input), format)
          for (const title of hostileTexts.filter((one) => !one.includes('\u0000'))) {
            const hostile = render({ ...input, metadata: { ...input.metadata, title } })
            if (format === 'json') JSON.parse(hostile)
            else assert.doesNotMatch(hostile, active, `${format} is not inert`)
          }
        }
      }),
    ),
  ]
}

function defaultSamples(name: string): KindSample[] {
  const all = sampleAnswers()
  return name === 'report' || name === 'workflow' ? [all[name]] : []
}

function metadataOf(name: DocumentKind<Json>['name'], { specification, ...rest }: RunPackage) {
  const { tenantName, narrowed, cadence } = rest
  return {
    classification: 'non_operational_output' as const,
    notice: 'Static information: not advice, not an instruction to any system.',
    kind: name,
    title: specification.body.title,
    ...{ documentId: 'doc_01h455vb4pex5vsknk084sn02q', version: '1' },
    runId: 'run_01h455vb4pex5vsknk084sn02q',
    specificationId: specification.id,
    specificationRevision: specification.revision,
    ...{ tenantName, narrowed, test: false },
    ...{ periodKey: cadence.periodKey, from: cadence.from, to: cadence.to },
    ...{ timeZone: cadence.timeZone, created: cadence.from },
    engine: { name: 'deterministic', model: 'extractive-1' },
    ...{ packageHash: '9f2c'.repeat(16), contentHash: '41d8'.repeat(16) },
    ...{ score: 1, terminologyVersion: '1.0.0' },
  }
}
