/** The value of a stored text; undefined when it is no JSON, which a changed text may not be. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
