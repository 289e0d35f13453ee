/** The phrases of a list that is written as running text, with commas between them. */
export const phrases = (list: string): string[] =>
  list.split(',').map((phrase) => phrase.trim().replace(/\s+/g, ' '))
