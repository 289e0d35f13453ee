import type { AnyDocumentKind } from '@almanac/documents'
import {
  isAlmanacError,
  type ChangeReport,
  type Json,
  type Outline,
  type RunPackage,
  type TenantId,
} from '@almanac/domain'
import { diffOutlines } from '@almanac/refinement'
import { z } from 'zod'
import type { Said } from './likeness/likeness.ts'
import { proseOf } from './likeness/prose.ts'
import type { Content } from './ports.ts'

/** What the JSON artifact of the period before says, as far as a comparison needs it. */
export interface EarlierDocument {
  content: unknown
  sample: boolean
}

const jsonArtifact = z.object({
  content: z.unknown(),
  sources: z.array(z.object({ sample: z.boolean() })).default([]),
})

/**
 * The document of the period before, which the package names by hash; undefined without one, and of one
 * that was erased or cannot be read any more. That the database fails is thrown on.
 */
export async function readEarlier(
  content: Content,
  tenantId: TenantId,
  { previousArtifactHash: hash }: Pick<RunPackage, 'previousArtifactHash'>,
): Promise<EarlierDocument | undefined> {
  if (hash === undefined) return undefined
  const text = await content.get(tenantId, hash).catch((error: unknown) => {
    if (isAlmanacError(error) && gone.has(error.code)) return undefined
    throw error
  })
  const artifact = text === undefined ? undefined : jsonArtifact.safeParse(jsonOf(text)).data
  return (
    artifact && {
      content: artifact.content,
      sample: artifact.sources.some(({ sample }) => sample),
    }
  )
}

const gone: ReadonlySet<string> = new Set(['NOT_FOUND', 'CONTENT_ERASED', 'CONTENT_TAMPERED'])

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** A change report without how alike the two documents are, and what both say where they were compared. */
export interface Comparison {
  report: Omit<ChangeReport, 'likeness'>
  said: Said | null
}

/**
 * What is new in a document against that of the period before. A pure function of the two and of the
 * package, which says what the earlier one is and which part of it this run was asked for.
 */
export function changesSince(
  kind: AnyDocumentKind,
  runPackage: RunPackage,
  earlier: EarlierDocument | undefined,
  document: Json,
): Comparison {
  const { cadence, history, previousArtifactHash: sha256 } = runPackage
  const none = { against: null, new: [], changed: [], gone: [] }
  const [last] = history
  const nothing = (report: Omit<ChangeReport, 'likeness'>): Comparison => ({ report, said: null })
  if (cadence.periodKey === null) return nothing({ comparison: 'on_demand', ...none })
  if (!last || sha256 === undefined) return nothing({ comparison: 'first', ...none })
  const { runId, periodKey } = last
  const against = { runId, periodKey, sha256, sample: earlier?.sample ?? false }
  const before = earlier && comparableOf(kind, runPackage, earlier.content)
  if (!before) return nothing({ comparison: 'unreadable', ...none, against })
  const after = comparable(kind, runPackage, document)
  return {
    report: { comparison: 'compared', against, ...compared(before, after) },
    said: { before: proseOf(before), after: proseOf(after) },
  }
}

const comparable = (kind: AnyDocumentKind, runPackage: RunPackage, document: Json): Outline =>
  kind.comparable?.(document, runPackage) ?? kind.outline(document)

/** What counts of a stored document; undefined when it has a form that the kind does not read. */
function comparableOf(
  kind: AnyDocumentKind,
  runPackage: RunPackage,
  stored: unknown,
): Outline | undefined {
  let content: Json
  try {
    content = kind.parse(stored)
  } catch {
    return undefined
  }
  return comparable(kind, runPackage, content)
}

/** New, changed and gone elements; where an element stands among its siblings is no news. */
function compared(before: Outline, after: Outline): Pick<ChangeReport, 'new' | 'changed' | 'gone'> {
  const { changes } = diffOutlines(before, after)
  const paths = new Map(after.map(({ id, path }) => [id, path]))
  const report: Pick<ChangeReport, 'new' | 'changed' | 'gone'> = { new: [], changed: [], gone: [] }
  for (const { type, level, id, newId, parentId, before: said = {}, fields = [] } of changes) {
    const path = paths.get(newId ?? id) ?? ''
    if (type === 'added') report.new.push({ level, id: newId ?? id, path })
    if (type === 'removed') report.gone.push({ level, id, parentId, before: said })
    if (type === 'changed')
      report.changed.push({ level, id: newId ?? id, earlierId: id, path, fields, before: said })
  }
  return report
}
