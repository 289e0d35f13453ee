import type { RenderInput } from '../../kind.ts'
import { html, type Html } from '@almanac/domain/html'
import { changesSection } from '../../render/html-changes.ts'
import { htmlDocument } from '../../render/html-frame.ts'
import type { WorkflowContent } from '../schema.ts'
import { dependencies } from './html-graph.ts'
import { brief, modules, phases, roles } from './html-parts.ts'
import { methodSentences, scoreTable } from './method.ts'
import { workflowView } from './view.ts'

/**
 * A workflow as one HTML page that needs nothing else and runs nothing: in brief, roles and inputs, a
 * section a phase, modules, dependencies, what is new, method and score, provenance. Equal input gives
 * equal bytes.
 */
export function renderWorkflowHtml(input: RenderInput<WorkflowContent>): string {
  const view = workflowView(input)
  return htmlDocument({
    metadata: input.metadata,
    kicker: view.kicker,
    window: view.window,
    marks: view.marks,
    notice: view.notice,
    engine: view.engine,
    first: 'brief',
    main: [
      brief(view),
      roles(view),
      ...phases(view),
      modules(view),
      dependencies(view),
      changesSection(view.changes),
      method(input),
    ],
  })
}

function method(input: RenderInput<WorkflowContent>): Html {
  const { head, rows } = scoreTable(input)
  return html`<section id="method" aria-labelledby="h-method">
    <h2 id="h-method">Method and score</h2>
    <p>${methodSentences(input).join(' ')}</p>
    <div class="scroll" tabindex="0" role="region" aria-label="Scores">
      <table>
        <caption>
          <span>Conformance of the whole and of each phase, 0 to 1</span>
        </caption>
        <thead>
          <tr>
            ${head.map((name) => html`<th scope="col">${name}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${rows.map(
            ({ name, cells }) =>
              html`<tr>
                <th scope="row">${name}</th>
                ${cells.map((cell) => html`<td>${cell}</td>`)}
              </tr>`,
          )}
        </tbody>
      </table>
    </div>
  </section> `
}
