const word = /[\p{L}\p{N}]+(?:['’-][\p{L}\p{N}]+)*/gu

/** The words of a text in lower case, whatever the locale; a hyphen joins, an apostrophe stays. */
export const wordsOf = (text: string): string[] =>
  text.normalize('NFKC').toLowerCase().match(word) ?? []

const doubled = /([bdgklmnprtz])\1$/

/**
 * What is left of an English word without its endings, so that `supplier` and `suppliers`, `migrate`,
 * `migrating` and `migration` are one. It need not be a word. Words of other languages mostly stay.
 */
export function stem(given: string): string {
  let text = given.replace(/['’]s?$/, '')
  if (text.length > 4) {
    if (/(?:ss|sh|ch|x|z)es$/.test(text)) text = text.slice(0, -2)
    else if (text.endsWith('ies')) text = `${text.slice(0, -3)}y`
    else if (/[^siu]s$/.test(text)) text = text.slice(0, -1)
  } else if (text.length === 4 && /[^siu]s$/.test(text)) text = text.slice(0, -1)
  if (/\w{3,}ing$/.test(text)) text = undoubled(text.slice(0, -3))
  else if (/\w{3,}ed$/.test(text)) text = undoubled(text.slice(0, -2))
  else if (/\w{4,}[st]ion$/.test(text)) text = text.slice(0, -3)
  return text.length > 3 && text.endsWith('e') ? text.slice(0, -1) : text
}

const undoubled = (text: string): string => (doubled.test(text) ? text.slice(0, -1) : text)

const irregular: ReadonlyMap<string, string> = new Map(
  Object.entries({
    people: 'person',
    men: 'man',
    women: 'woman',
    children: 'child',
    staff: 'staff',
    crew: 'crew',
    analyses: 'analysis',
    criteria: 'criterion',
    news: 'news',
    premises: 'premises',
    series: 'series',
  }),
)

/** One of what an English plural names: `engineers` is `engineer`. Case is kept. */
export function singular(plural: string): string {
  const known = irregular.get(plural.toLowerCase())
  if (known !== undefined) return /^\p{Lu}/u.test(plural) ? capitalised(known) : known
  if (/(?:ss|us|is)$/i.test(plural) || plural.length < 4) return plural
  if (/ies$/i.test(plural) && plural.length > 4) return `${plural.slice(0, -3)}y`
  if (/(?:ss|sh|ch|x)es$/i.test(plural)) return plural.slice(0, -2)
  return /s$/i.test(plural) ? plural.slice(0, -1) : plural
}

/** `text` with its first letter in upper case, whatever the locale. */
export const capitalised = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)
