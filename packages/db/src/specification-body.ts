import { specification, type Specification } from '@almanac/domain'

/** Bodies never change under their hash, so each is parsed once; the oldest gives way. */
const parsed = new Map<string, Specification>()
const mostParsed = 500

/** The specification of a stored revision: its canonical JSON, and the hash of that. */
export function parseBody(hash: string, body: string): Specification {
  const known = parsed.get(hash)
  if (known) return known
  const fresh = specification.parse(JSON.parse(body))
  const [oldest] = parsed.keys()
  if (parsed.size >= mostParsed && oldest !== undefined) parsed.delete(oldest)
  parsed.set(hash, fresh)
  return fresh
}
