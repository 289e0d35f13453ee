import { SchemaError, type SchemaNode } from '../json-schema/node.ts'
import { readSchema } from '../json-schema/read.ts'
import { invalidParam } from './api-error.ts'

const mostRemembered = 64
const remembered = new Map<string, SchemaNode>()

/** The schema of a request, and its text as it counts for tokens. */
export interface SchemaParam {
  node: SchemaNode
  text: string
}

/** Reads the schema of a response format; throws ApiError (400) about `param`. */
export function schemaParam(
  schema: Record<string, unknown>,
  strict: boolean,
  { name, param }: { name: string; param: string },
): SchemaParam {
  const text = JSON.stringify(schema)
  const key = `${strict} ${text}`
  let node = remembered.get(key)
  if (!node) {
    try {
      node = readSchema(schema, { strict })
    } catch (error) {
      throw asApiError(error, { name, param })
    }
    remembered.set(key, node)
    for (const [oldest] of remembered)
      if (remembered.size > mostRemembered) remembered.delete(oldest)
  }
  return { node, text }
}

/** A SchemaError as the provider answers it; anything else as it is. */
export function asApiError(
  error: unknown,
  { name, param }: { name: string; param: string },
): unknown {
  return error instanceof SchemaError
    ? invalidParam(
        param,
        'invalid_json_schema',
        `Invalid schema for response_format '${name}': ${error.message}`,
      )
    : error
}
