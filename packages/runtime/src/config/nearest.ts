/** The candidate that is fewest edits away from `word`, unless even that one is another word altogether. */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  const ranked = candidates
    .map((candidate) => ({ candidate, edits: editsBetween(word, candidate) }))
    .toSorted((a, b) => a.edits - b.edits)
  const best = ranked[0]
  return best && best.edits <= Math.ceil(word.length / 3) ? best.candidate : undefined
}

/** Levenshtein's distance, row by row. */
function editsBetween(from: string, to: string): number {
  const others = [...to]
  let previous = [0, ...others.map((_, column) => column + 1)]
  for (const [row, letter] of [...from].entries()) {
    const current = [row + 1]
    for (const [column, other] of others.entries()) {
      const replaced = (previous[column] ?? 0) + (letter === other ? 0 : 1)
      const inserted = (current[column] ?? 0) + 1
      const deleted = (previous[column + 1] ?? 0) + 1
      current.push(Math.min(replaced, inserted, deleted))
    }
    previous = current
  }
  return previous.at(-1) ?? 0
}
