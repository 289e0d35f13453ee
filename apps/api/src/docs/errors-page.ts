import { errorEntry, errorTable, sentence, type ErrorCode } from '@almanac/domain'
import { html, type Html } from '@almanac/domain/html'
import { prose } from './prose.ts'
import { page } from './page.ts'
import { exampleOf } from './problem-responses.ts'

/** Every error with its sentence and remedy; a problem's `type` leads to its place here. */
export function errorsPage(): string {
  const codes = Object.keys(errorTable) as ErrorCode[]
  return page(
    'Errors · Almanac',
    html`
      <h1>Errors</h1>
      <p>
        Every error has a stable code, a sentence that says what happened, and a remedy. Over HTTP
        it is a problem by RFC 9457; in a run it stands in <code>error</code>. A program should look
        at the code: sentences may be improved.
      </p>
      <ul class="index">
        ${codes.map(
          (code) =>
            html`<li>
              <a href="#${code}"><code>${code}</code></a> ${errorEntry(code).title}
            </li> `,
        )}
      </ul>
      ${codes.map(errorSection)}
    `,
  )
}

function errorSection(code: ErrorCode): Html {
  const { status, title, remedy, retryable, sample, ends } = errorEntry(code)
  const ofRun = status === 200
  return html`
    <section id="${code}">
      <h3><code>${code}</code></h3>
      <p>${title}</p>
      <table>
        <tr>
          <th>Says</th>
          <td>${sentence(code, sample as never)}</td>
        </tr>
        <tr>
          <th>Remedy</th>
          <td>${prose(remedy)}</td>
        </tr>
        <tr>
          <th>HTTP status</th>
          <td>${ofRun ? 'none: it stands in the run' : exampleOf(code).status}</td>
        </tr>
        <tr>
          <th>Again</th>
          <td>
            ${retryable ? 'The same request can succeed later.' : 'The request must be changed.'}
          </td>
        </tr>
        <tr>
          <th>In a run</th>
          <td>${fates[ends]}</td>
        </tr>
      </table>
    </section>
  `
}

const fates = {
  retry: 'tries the stage again, then fails',
  failed: 'fails',
  blocked: 'is blocked: it was not allowed to run',
} as const
