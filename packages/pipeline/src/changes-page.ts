import { stylesheet } from '@almanac/documents'
import { escapeHtml } from '@almanac/domain/html'
import type { VersionDiff } from '@almanac/domain'
import { renderDiffHtml, renderDiffText } from '@almanac/refinement'

/** A comparison of two versions as lines of plain text: what both are, what it is worth, every change. */
export function diffText(compared: VersionDiff): string {
  return [headline(compared), ...scoreLines(compared), renderDiffText(compared)].join('\n')
}

/** A comparison of two versions as one HTML page that needs nothing else and runs nothing. */
export function diffPage(compared: VersionDiff): string {
  const title = escapeHtml(headline(compared))
  const scores = scoreLines(compared).map((line) => `<p class="meta">${escapeHtml(line)}</p>\n`)
  return `<!doctype html>
<html lang="en" data-run="${title}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>${title}</title>
<style>${stylesheet}</style>
</head>
<body>
<header>
<h1>${title}</h1>
${scores.join('')}</header>
<main>
${renderDiffHtml(compared)}</main>
</body>
</html>
`
}

const headline = ({ from, to }: VersionDiff): string =>
  from.documentId === to.documentId
    ? `Version ${from.label} to ${to.label} of ${to.documentId}`
    : `Version ${from.label} of ${from.documentId} to version ${to.label} of ${to.documentId}`

function scoreLines({ from, to, scoreDelta, metrics }: VersionDiff): string[] {
  const changed = metrics.map(({ name, before, after }) => `${name} ${signed(after - before)}`)
  const because = changed.length > 0 ? `: ${changed.join(', ')}` : ''
  return [`Score ${from.score} to ${to.score} (${signed(scoreDelta)})${because}`]
}

/** `+0.05`, `−0.0312`, `±0`: a difference of scores, which have four decimals. */
function signed(difference: number): string {
  const rounded = Math.round(difference * 10_000) / 10_000
  if (rounded === 0) return '±0'
  return rounded > 0 ? `+${rounded}` : `−${-rounded}`
}
