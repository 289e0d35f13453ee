import type { DocumentId, RunId, RunPackage } from '@almanac/domain'
import { derivedId } from '@almanac/domain/ids'

/**
 * The document that a run makes: one a specification and period, whichever run makes it; a run
 * without a period (on demand, or a test) makes a document of its own.
 */
export function documentIdOf(
  run: { id: RunId; test: boolean },
  { specification, cadence }: Pick<RunPackage, 'specification' | 'cadence'>,
): DocumentId {
  const period = run.test ? null : cadence.periodKey
  return derivedId('document', `${specification.id}/${period ?? run.id}`)
}
