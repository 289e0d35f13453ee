import { errorEntry, routes, type Operation } from '@almanac/domain'
import { createSchema } from 'zod-openapi'
import type { z } from 'zod'
import { evidenceLines, examples } from './examples.ts'
import { html, lines, type Html } from '@almanac/domain/html'
import { prose } from './prose.ts'
import { needsOf } from './openapi.ts'
import { furtherStatuses, idempotencyHeader, requestHeaders } from './operation-notes.ts'
import { page } from './page.ts'
import { problemCodes } from './problem-responses.ts'
import { fieldRows, variantsOf, type JsonSchema } from './schema-fields.ts'

/** The API reference: every route of the contract on one page that needs nothing but this server. */
export function apiPage(): string {
  const operations = Object.keys(routes) as Operation[]
  const byTag = [...Map.groupBy(operations, (operation) => routes[operation].tag)]
  return page(
    'API · Almanac',
    html`
      <h1>Almanac API</h1>
      ${introduction}
      <h2>Operations</h2>
      ${byTag.map(
        ([tag, names]) => html`
          <h4>${tag}</h4>
          <ul class="index">
            ${names.map(
              (name) =>
                html`<li>
                  <a href="#${name}">${heading(name)}</a> ${prose(routes[name].summary)}
                </li> `,
            )}
          </ul>
        `,
      )}
      ${byTag.map(
        ([tag, names]) => html`
          <h2>${tag}</h2>
          ${names.map(operationSection)}
        `,
      )}
    `,
  )
}

const introduction = html`
  <p>
    ${prose(
      'Every request carries an API key: `Authorization: Bearer alm_…`. The key names its tenant; `almanac key create` makes one. Those who run the installation have keys of their own, `almop_…`, which open `/v1/ops` and nothing of a tenant’s. Bodies are JSON in UTF-8, instants ISO 8601 in UTC, ids TypeIDs such as `run_01kafz…`.',
    )}
  </p>
  <p>
    ${prose(
      'Lists answer `{ data, nextCursor }`, newest first; `?limit` (at most 100) and `?cursor` page through them. Problems follow RFC 9457 and name every wrong field at once; their codes are explained under ',
    )}<a href="/docs/errors">Errors</a>.
    ${prose(
      'Every answer has a `Request-Id`: send it along when you ask for help. A machine-readable description is at ',
    )}<a href="/openapi.json">/openapi.json</a>.
  </p>
  <p>
    ${prose(
      '`Prefer: wait=N` on a run answers when it has ended; a run that failed is not an HTTP error, its `error` says why. `Idempotency-Key` makes a POST safe to repeat. A PATCH names the revision that it starts from in `If-Match`.',
    )}
  </p>
`

const heading = (operation: Operation): Html =>
  html`<span class="method">${routes[operation].method}</span>
    <code>${routes[operation].path}</code>`

function operationSection(operation: Operation): Html {
  const route = routes[operation]
  const description = 'description' in route ? route.description : ''
  return html`
    <section id="${operation}">
      <h3>${heading(operation)}</h3>
      <p>${prose(route.summary)}.${description === '' ? '' : html` ${prose(description)}`}</p>
      <p class="quiet">${prose(needsOf(operation))}</p>
      ${fieldTables('Path', route.params)} ${fieldTables('Query', route.query)}
      ${headerTable(operation)} ${route.takes === 'json' && fieldTables('Body', route.body)}
      ${exampleOf(operation)} ${answersOf(operation)}
    </section>
  `
}

function fieldTables(title: string, schema: z.ZodType): readonly Html[] {
  const { schema: root, components } = createSchema(schema, { io: 'input' })
  const resolve = (one: JsonSchema): JsonSchema => {
    const name = one.$ref?.split('/').at(-1)
    return name === undefined ? one : ((components[name] ?? {}) as JsonSchema)
  }
  return variantsOf(root as JsonSchema, resolve)
    .map((variant) => fieldRows(variant, resolve))
    .filter((rows) => rows.length > 0)
    .map((rows) => table(title, rows))
}

const table = (title: string, rows: readonly { name: string; says: string }[]): Html => html`
  <h4>${title}</h4>
  <table>
    ${rows.map(
      ({ name, says }) => html`
        <tr>
          <th><code>${name}</code></th>
          <td>${prose(says)}</td>
        </tr>
      `,
    )}
  </table>
`

function headerTable(operation: Operation): Html | undefined {
  const own = requestHeaders[operation] ?? []
  const headers = routes[operation].idempotent ? [idempotencyHeader, ...own] : own
  if (headers.length === 0) return undefined
  return table(
    'Headers',
    headers.map(({ name, description, example }) => ({
      name,
      says: `${description} Example: \`${example}\``,
    })),
  )
}

function exampleOf(operation: Operation): Html | undefined {
  const body = examples[operation]?.body
  const isImport = routes[operation].takes === 'ndjson'
  if (body === undefined && !isImport) return undefined
  const text = isImport
    ? evidenceLines.map((line) => JSON.stringify(line)).join('\n')
    : JSON.stringify(body, null, 2)
  return html`<details>
    <summary>Example of a body</summary>
    <pre><code>${lines(text)}</code></pre>
  </details>`
}

function answersOf(operation: Operation): Html {
  const { status, gives } = routes[operation]
  const forms = {
    json: 'JSON',
    sse: 'an event stream, or JSON',
    bytes: 'the bytes',
    negotiated: 'JSON, or text or a page',
    csv: 'JSON, or CSV',
  } as const
  const further = Object.entries(furtherStatuses[operation] ?? {})
  return html`
    <h4>Answers</h4>
    <table>
      <tr>
        <th>${status}</th>
        <td>${forms[gives]}</td>
      </tr>
      ${further.map(
        ([code, says]) => html`
          <tr>
            <th>${code}</th>
            <td>${prose(says)}</td>
          </tr>
        `,
      )}
      <tr>
        <th>Problems</th>
        <td>
          ${problemCodes(operation).map(
            (code) =>
              html`<a href="/docs/errors#${code}" title="${errorEntry(code).title}"
                ><code>${code}</code></a
              > `,
          )}
        </td>
      </tr>
    </table>
  `
}
