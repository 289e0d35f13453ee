/** A piece of a text that both versions have, or only the old or the new one. */
export interface Piece {
  text: string
  side: 'both' | 'before' | 'after'
}

/**
 * What differs between two texts, as one stretch of whole words between what they share at the
 * beginning and at the end: linear in their length, whatever they hold.
 */
export function differingWords(before: string, after: string): Piece[] {
  const [old, now] = [words(before), words(after)]
  const most = Math.min(old.length, now.length)
  let head = 0
  while (head < most && old[head] === now[head]) head += 1
  let tail = 0
  while (tail < most - head && old.at(-1 - tail) === now.at(-1 - tail)) tail += 1
  const pieces: Piece[] = [
    { text: old.slice(0, head).join(''), side: 'both' },
    { text: old.slice(head, old.length - tail).join(''), side: 'before' },
    { text: now.slice(head, now.length - tail).join(''), side: 'after' },
    { text: old.slice(old.length - tail).join(''), side: 'both' },
  ]
  return pieces.filter(({ text }) => text !== '')
}

/** Words, each with the white space before it. */
const words = (text: string): string[] => text.match(/\s*\S+|\s+$/g) ?? []
