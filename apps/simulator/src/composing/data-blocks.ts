/** A block of data in a prompt, between two lines that hold the same mark. */
export interface DataBlock {
  /** What the block is called: `the run package`. */
  name: string
  /** Its text as JSON; undefined where it is none. */
  value: unknown
  text: string
}

const block = /^BEGIN DATA ([0-9a-f]+) \(([^\n]*)\)\n([\s\S]*?)\nEND DATA \1$/gm

/** The blocks of data in a request's texts, in order. */
export const dataBlocks = (texts: readonly string[]): DataBlock[] =>
  texts.flatMap((whole) =>
    [...whole.matchAll(block)].map(([, , name = '', text = '']) => ({
      name,
      text,
      value: parsedJson(text),
    })),
  )

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
