import { isStorable } from '@almanac/domain'
import assert from 'node:assert/strict'
import type { ExporterHook } from '../hooks.ts'
import { assertPure, assertTimeless, check, type Check } from './check.ts'
import { sampleDocuments, type Sample } from './samples.ts'

// Controls, except tab and line ends, and what reverses the direction of reading.
// eslint-disable-next-line no-control-regex
const unseen = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/

/** A cell that a spreadsheet would calculate. */
const formula = /(?:^|[,;\t\n])"?[=+\-@]/

/**
 * What every exporter holds to: whole text of all samples, pure, inert, and saying what every format
 * must say of a document. An exporter of a plugin's own kind needs `samples` of that kind.
 */
export function exporterConformance(
  exporter: ExporterHook,
  samples: readonly Sample[] = sampleDocuments(),
): Check[] {
  const own = samples.filter(({ kind }) => exporter.kinds.includes(kind))
  const each = (test: (sample: Sample, text: string) => void | Promise<void>) => async () => {
    assert.ok(own.length > 0, `there are no samples of the kinds ${exporter.kinds.join(', ')}`)
    for (const sample of own) await test(sample, await exporter.export(sample.input))
  }
  return [
    check(
      'writes well-formed text of every document',
      each(({ name }, text) => {
        assert.ok(text.trim().length > 0, `${name}: the text is empty`)
        assert.ok(isStorable(text), `${name}: the text holds NUL or a lone surrogate`)
      }),
    ),
    check(
      'is a pure function: equal input, equal bytes, and the input stays as it is',
      each(async ({ name, input }) => {
        await assertPure(exporter.export.bind(exporter), input, name)
      }),
    ),
    check(
      'asks neither a clock nor dice',
      each(({ name, input }) => assertTimeless(() => exporter.export(input), name)),
    ),
    check(
      'says that the document is no operational output, and of a test run that it is one',
      each(({ name, input: { metadata } }, text) => {
        assert.ok(text.includes(metadata.classification), `${name}: its classification is missing`)
        if (metadata.test) assert.ok(text.includes('TEST RUN'), `${name}: TEST RUN is missing`)
      }),
    ),
    check(
      'lets no character through that acts on the reader’s screen unseen',
      each(({ name }, text) => {
        assert.doesNotMatch(text, unseen, name)
      }),
    ),
    check(
      'lets no cell through that a spreadsheet would calculate',
      each(({ name }, text) => {
        if (exporter.format === 'csv' || exporter.format === 'tsv')
          assert.doesNotMatch(text, formula, name)
      }),
    ),
  ]
}
