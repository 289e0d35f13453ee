/** Where commands write: lines for people, or one JSON value a command with `--json`. */
export interface Screen {
  json: boolean
  /** A line for people; nothing with `--json`. */
  say(line?: string): void
  /** The command's result, printed with `--json` only. */
  result(value: unknown): void
  /** A warning or a problem, to standard error, always. */
  warn(line: string): void
  /** Whether a person watches: progress bars are for them alone. */
  interactive: boolean
}

export function createScreen(json: boolean): Screen {
  return {
    json,
    interactive: !json && process.stderr.isTTY === true,
    say: (line = '') => {
      if (!json) process.stdout.write(`${printable(line)}\n`)
    },
    result: (value) => {
      if (json) process.stdout.write(`${JSON.stringify(value, null, 2)}\n`)
    },
    warn: (line) => process.stderr.write(`${printable(line)}\n`),
  }
}

/** Text from tenants and models may carry terminal codes; on a screen they must be dead. */
const printable = (text: string): string =>
  // eslint-disable-next-line no-control-regex
  text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, '�')

/** A table of texts with aligned columns and two spaces between. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, i) =>
    Math.max(...rows.map((row) => (row[i] ?? '').length)),
  )
  return rows
    .map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}
