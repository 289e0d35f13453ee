import type { Axis, DocumentMetadata, PackageEvidence, RunPackage } from '@almanac/domain'

/** A thing that every format of a document must say of itself, by word and in a sentence. */
export interface Mark {
  word: 'TEST RUN' | 'NARROWED' | 'SAMPLE'
  sentence: string
}

/** Whether an item of evidence is invented, by its attribute `sample`. */
export const isSample = ({ attributes }: PackageEvidence): boolean =>
  attributes['sample'] === 'true'

/** The marks that a document carries. */
export function marksOf(
  { test, narrowed }: Pick<DocumentMetadata, 'test' | 'narrowed'>,
  runPackage: RunPackage,
): Mark[] {
  const marks: Mark[] = []
  if (test)
    marks.push({
      word: 'TEST RUN',
      sentence: 'Test run: made for trial only, it counts for nothing.',
    })
  if (narrowed) marks.push({ word: 'NARROWED', sentence: narrowing(runPackage) })
  const samples = runPackage.evidence.filter(isSample).length
  if (samples > 0)
    marks.push({
      word: 'SAMPLE',
      sentence:
        samples === runPackage.evidence.length
          ? 'The evidence is invented sample data: nothing in it happened.'
          : 'The evidence marked SAMPLE is invented sample data: nothing in it happened.',
    })
  return marks
}

/** `notice` with the sentences of those marks that it does not say yet. */
export function withMarks(notice: string, marks: readonly Mark[]): string {
  const unsaid = marks.filter(({ sentence }) => !notice.includes(sentence))
  return [notice, ...unsaid.map(({ sentence }) => sentence)].join(' ')
}

function narrowing({ scope, specification: { body } }: RunPackage): string {
  if (!scope || body.kind !== 'report')
    return 'Narrowed: this run covers a part of its specification.'
  const part = (axis: Axis) => `${scope[axis].length} of ${body[axis].length} ${axis}`
  return `Narrowed: this run covers ${part('deliverables')}, ${part('regions')} and ${part('links')} of its specification.`
}
