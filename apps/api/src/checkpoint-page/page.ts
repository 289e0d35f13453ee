import type { CheckpointDetail } from '@almanac/db'
import { childrenText, usdText } from '@almanac/domain'
import { html, type Html } from '@almanac/domain/html'

/** What a browser may do with the page: show it in the documentation's style, and send its form here. */
export const checkpointPagePolicy = [
  `default-src 'none'`,
  `style-src 'self'`,
  `base-uri 'none'`,
  `form-action 'self'`,
  `frame-ancestors 'none'`,
].join('; ')

const shell = (title: string, body: Html): string =>
  html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="robots" content="noindex" />
        <title>${title} – Almanac</title>
        <link rel="stylesheet" href="/docs/style.css" />
      </head>
      <body>
        <main>
          <h1>${title}</h1>
          ${body}
        </main>
      </body>
    </html> `.markup

export interface ConfirmPage {
  checkpoint: CheckpointDetail
  /** The name of the principal that the link is for. */
  principal: string
  token: string
  /** What was wrong with the reason that was sent. */
  problem?: string
}

/** The page that asks: what was made, what it cost, what more it may cost, and two buttons. */
export const confirmPage = ({ checkpoint, principal, token, problem }: ConfirmPage): string =>
  shell(
    'One more generation?',
    html`<p>
        The refinement of <strong>${checkpoint.specificationName}</strong> waits for a decision by
        <strong>${principal}</strong>. Nothing is decided until you press a button.
      </p>
      ${factsOf(checkpoint)}
      <form method="post" action="/checkpoints/${checkpoint.id}" autocomplete="off">
        <input type="hidden" name="token" value="${token}" />
        <p>
          <label for="reason">Reason (kept in the audit)</label><br />
          <input
            id="reason"
            name="reason"
            type="text"
            required
            maxlength="500"
            ${problem === undefined ? html`` : html`aria-invalid="true" aria-describedby="problem"`}
          />
        </p>
        ${problem === undefined ? html`` : html`<p id="problem" role="alert">The reason ${problem}.</p>`}
        <p>
          <button type="submit" name="decision" value="approve">Approve one more generation</button>
          <button type="submit" name="decision" value="deny">
            Deny, and end with what there is
          </button>
        </p>
      </form>`,
  )

/** A page that only says something: a decision that was taken, or why none can be. */
export const noticePage = (title: string, text: string, checkpoint?: CheckpointDetail): string =>
  shell(
    title,
    html`<p>${text}</p>
      ${checkpoint ? factsOf(checkpoint) : html``}`,
  )

const limitNames = {
  depth: 'generations',
  children: 'variants',
  tokens: 'tokens',
  microUsd: 'micro-USD',
} as const

function factsOf(checkpoint: CheckpointDetail): Html {
  const { best, spent, estimate, limits, reached, generation } = checkpoint
  const rows: [string, string | Html][] = [
    ['Run', html`<code>${checkpoint.runId}</code>`],
    ['Asked for by', html`<code>${checkpoint.requestedBy}</code>`],
    ['Best version so far', `${best.label}, score ${best.score}`],
    ['Cost so far', amountOf(spent)],
    ['It asks for', `generation ${generation}: ${childrenText(checkpoint)}`],
    ['They may cost at most', amountOf(estimate)],
    [
      'Limits',
      `${limits.maxDepth} generations, ${limits.maxChildren} variants, ${amountOf(limits)}`,
    ],
    [
      'Why it asks',
      reached
        .map((one) => `${one.after} of ${one.allowed} ${limitNames[one.limit]} would be used`)
        .join('; '),
    ],
    [
      'Expires',
      html`<time datetime="${checkpoint.expiresAt}">${checkpoint.expiresAt}</time> (UTC); then it
        ends with the best version so far`,
    ],
  ]
  const lines = rows.map(
    ([name, value]) =>
      html`<tr>
        <th scope="row">${name}</th>
        <td>${value}</td>
      </tr>`,
  )
  return html`<table>
    <caption>
      What this is about
    </caption>
    <tbody>
      ${lines}
    </tbody>
  </table>`
}

const amountOf = ({ microUsd, tokens }: { microUsd: number; tokens: number }): string =>
  `${usdText(microUsd)} and ${tokens} tokens`
