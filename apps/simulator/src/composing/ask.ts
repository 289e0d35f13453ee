import type { SchemaNode } from '../json-schema/node.ts'

/** What a request asks to be generated, whichever of the provider's APIs it came through. */
export interface Ask {
  /** The model as the request names it. */
  model: string
  /** All text of the input in order, instructions first. */
  texts: readonly string[]
  /** What the answer must fit; absent where it is free text. */
  schema?: SchemaNode
  /** What the request calls its schema; empty without one. */
  schemaName: string
  /** True when the answer must be some JSON object. */
  jsonObject: boolean
  maxOutputTokens?: number
  /** Tokens of the texts, and of the schema as it was sent. */
  inputTokens: number
}
