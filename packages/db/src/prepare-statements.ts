import type { EventEmitter } from 'node:events'

type Query = (text: unknown, values?: unknown, ...rest: unknown[]) => unknown

/** So many statements at most: one with a list of values in its text has a text for every length. */
const mostStatements = 300

const names = new Map<string, string>()

/** The name under which a statement is prepared, or undefined when there are too many. */
function nameOf(text: string): string | undefined {
  const known = names.get(text)
  if (known !== undefined || names.size >= mostStatements) return known
  const name = `almanac_${names.size}`
  names.set(text, name)
  return name
}

/**
 * Has every new connection of a node-postgres pool prepare the statements that it sends with values:
 * the server parses and plans each of them once a connection instead of once a call.
 * Behind a pooler in transaction mode it must know prepared statements (PgBouncer ≥ 1.21).
 */
export function prepareStatements(pool: EventEmitter): void {
  pool.on('connect', (client: { query: Query }) => {
    const query = client.query.bind(client) as Query
    client.query = (text, values, ...rest) => {
      const name =
        typeof text === 'string' && Array.isArray(values) && values.length > 0
          ? nameOf(text)
          : undefined
      return name === undefined
        ? query(text, values, ...rest)
        : query({ name, text, values }, ...rest)
    }
  })
}
