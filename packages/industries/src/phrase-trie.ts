interface Node<T> {
  next: Map<string, Node<T>>
  values: T[]
}

/** Many phrases, found in one pass over the words of a text. */
export interface PhraseTrie<T> {
  /** Makes `value` reported wherever `phrase` (folded words, not empty) stands. */
  add: (phrase: readonly string[], value: T) => void
  /** Calls `found` for every phrase in `text`, overlapping ones too; words [start, end). */
  scan: (text: readonly string[], found: (value: T, start: number, end: number) => void) => void
}

/** Creates an empty trie over whole words: a look-up a word, whatever the number of phrases. */
export function createPhraseTrie<T>(): PhraseTrie<T> {
  const createNode = (): Node<T> => ({ next: new Map(), values: [] })
  const root = createNode()

  return {
    add(phrase, value) {
      let node = root
      for (const word of phrase) {
        let next = node.next.get(word)
        if (!next) node.next.set(word, (next = createNode()))
        node = next
      }
      node.values.push(value)
    },
    scan(text, found) {
      for (let start = 0; start < text.length; start++) {
        let node: Node<T> | undefined = root
        for (let end = start; end < text.length; end++) {
          node = node.next.get(text[end] ?? '')
          if (!node) break
          for (const value of node.values) found(value, start, end + 1)
        }
      }
    },
  }
}
