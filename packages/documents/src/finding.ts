import { visibleText } from '@almanac/domain'

/** The JSON pointer (RFC 6901) of a path into a document; `''` is the whole document. */
export function pointer(path: readonly PropertyKey[]): string {
  return path.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
}

const mostCharacters = 160

/** `text` as a finding shows it of a value: nothing unseen in it, and not more than a line. */
export function clipped(text: string): string {
  const whole = visibleText(text)
  return whole.length <= mostCharacters
    ? whole
    : `${whole.slice(0, mostCharacters - 1).toWellFormed()}…`
}

/** The first few of `names` and how many more there are. */
export function listed(names: readonly string[], most = 8): string {
  const shown = names.slice(0, most).join(', ')
  return names.length > most ? `${shown} and ${names.length - most} more` : shown
}
