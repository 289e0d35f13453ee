import type { DocumentKinds } from '@almanac/documents'
import { AlmanacError, documentKindName, type VersionDiff } from '@almanac/domain'
import { countChanges, diff } from '@almanac/refinement'
import { z } from 'zod'

/** A version as it is stored: the JSON texts of its content and of its run package. */
export interface StoredVersion {
  content: string
  package: string
}

/**
 * What turns one stored version into another. Throws INPUT_INVALID for versions of documents of
 * different kinds, and for those of a kind that is not installed any more.
 */
export function changesBetween(
  kinds: DocumentKinds,
  before: StoredVersion,
  after: StoredVersion,
): Pick<VersionDiff, 'counts' | 'changes'> {
  const [from, to] = [kindOf(before), kindOf(after)]
  if (from !== to) {
    const message = `must be a version of a ${from}: this one is a ${to}`
    throw new AlmanacError('INPUT_INVALID', { issues: [{ field: 'path.other', message }] })
  }
  const kind = kinds.get(from)
  const [old, now] = [before, after].map(({ content }) => kind.parse(JSON.parse(content)))
  const { changes } = diff(kind, old ?? null, now ?? null)
  return { counts: countChanges(changes), changes }
}

const named = z.object({ output: z.object({ kind: documentKindName }) })

const kindOf = (stored: StoredVersion) => named.parse(JSON.parse(stored.package)).output.kind
