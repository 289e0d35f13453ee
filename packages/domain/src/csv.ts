/** What stands in one cell; null is an empty one. */
export type CsvCell = string | number | null

/**
 * Rows as CSV (RFC 4180: lines end in CRLF, quotes are doubled). A text that a spreadsheet would take
 * for a formula gets an apostrophe before it; numbers are written as they are.
 */
export const csvText = (rows: readonly (readonly CsvCell[])[]): string =>
  rows.map((row) => `${row.map(cellText).join(',')}\r\n`).join('')

const formula = /^[=+\-@\t\r]/
const needsQuotes = /[",\r\n]|^\s|\s$/

function cellText(cell: CsvCell): string {
  if (cell === null) return ''
  if (typeof cell === 'number') return String(cell)
  if (formula.test(cell)) return quoted(`'${cell}`)
  return needsQuotes.test(cell) ? quoted(cell) : cell
}

const quoted = (text: string): string => `"${text.replaceAll('"', '""')}"`

/**
 * The rows of a CSV text (RFC 4180; LF alone ends a line too), or the line of the quote that nothing
 * closes. Empty lines are left out; a byte order mark is too.
 */
export function parseCsv(text: string): { rows: string[][] } | { unclosedLine: number } {
  const rows: string[][] = []
  let row: string[] = []
  let line = 1
  const cell = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|\r|$)/y
  const body = text.replace(/^\ufeff/, '')
  while (cell.lastIndex < body.length || row.length > 0) {
    const found = cell.exec(body)
    if (!found) return { unclosedLine: line }
    const [whole, inQuotes, plain = '', end] = found
    row.push(inQuotes === undefined ? plain : inQuotes.replaceAll('""', '"'))
    line += whole.split('\n').length - 1
    if (end === ',') continue
    if (row.length > 1 || row[0] !== '') rows.push(row)
    row = []
  }
  return { rows }
}
