import type { Cadence } from '@almanac/domain'
import type { RenderInput } from '../kind.ts'
import { marksOf, withMarks, type Mark } from '../notice.ts'
import { windowText } from './local-date.ts'

/** What stands above every document; plain text, not yet escaped. */
export interface Masthead {
  /** `Weekly report · Harbour Ltd`. */
  kicker: string
  title: string
  periodKey: string | null
  /** `7–13 March 2022, America/New_York`. */
  window: string
  marks: Mark[]
  notice: string
  engine: string
}

/** The masthead of a document; `names` say what its kind is called at each cadence. */
export function mastheadOf(
  { metadata, package: runPackage }: Pick<RenderInput<unknown>, 'metadata' | 'package'>,
  names: Record<Cadence, string>,
): Masthead {
  const { kind, from, to, timeZone } = runPackage.cadence
  const marks = marksOf(metadata, runPackage)
  return {
    kicker: `${names[kind]} · ${metadata.tenantName}`,
    title: metadata.title,
    periodKey: metadata.periodKey,
    window: `${windowText(from, to, timeZone)}, ${timeZone}`,
    marks,
    notice: withMarks(metadata.notice, marks),
    engine: `${metadata.engine.name} (${metadata.engine.model})`,
  }
}
