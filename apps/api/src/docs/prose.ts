import { escapeHtml, type Html } from '@almanac/domain/html'

/** Text whose `words` in backticks are code. */
export const prose = (text: string): Html => ({
  markup: text
    .split('`')
    .map((piece, i) => (i % 2 === 1 ? `<code>${escapeHtml(piece)}</code>` : escapeHtml(piece)))
    .join(''),
})
