/** The JSON pointer (RFC 6901) of a path into a document; `''` is the whole document. */
export function pointer(path: readonly PropertyKey[]): string {
  return path.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
}

const mostCharacters = 160

/** `text`, well formed and cut to what a finding shows of a value. */
export function clipped(text: string): string {
  const whole = text.toWellFormed()
  return whole.length <= mostCharacters
    ? whole
    : `${whole.slice(0, mostCharacters - 1).toWellFormed()}…`
}

/** The first few of `names` and how many more there are. */
export function listed(names: readonly string[], most = 8): string {
  const shown = names.slice(0, most).join(', ')
  return names.length > most ? `${shown} and ${names.length - most} more` : shown
}
