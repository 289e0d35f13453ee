import type { RenderInput } from '../../kind.ts'
import { changesSection } from '../../render/html-changes.ts'
import { htmlDocument } from '../../render/html-frame.ts'
import type { ReportContent } from '../schema.ts'
import { brief, itemSections } from './html-items.ts'
import { coverage } from './html-matrix.ts'
import { signals } from './html-signals.ts'
import { method, sources } from './html-sources.ts'
import { coverageMatrix } from './matrix.ts'
import { quietSentence } from './method.ts'
import { reportView } from './view.ts'

/**
 * A report as one HTML page that needs nothing else and runs nothing: in brief, coverage, signals, a
 * section a deliverable, what is new, sources, method and score, provenance. Equal input gives equal
 * bytes.
 */
export function renderReportHtml(input: RenderInput<ReportContent>): string {
  const { metadata, package: runPackage } = input
  const view = reportView(input)
  return htmlDocument({
    metadata,
    kicker: view.kicker,
    window: view.window,
    marks: view.marks,
    notice: view.notice,
    engine: view.engine,
    first: 'brief',
    main: [
      brief(view),
      coverage(coverageMatrix(view, runPackage)),
      signals(view),
      ...itemSections(view, quietSentence(runPackage)),
      changesSection(view.changes),
      sources(view),
      method(input),
    ],
  })
}
