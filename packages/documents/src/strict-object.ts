import type { Json } from '@almanac/domain'

/** The JSON schema of an object in OpenAI's strict subset: every field required, nothing else allowed. */
export const strictObject = (properties: Record<string, Json>): Record<string, Json> => ({
  type: 'object',
  properties,
  required: Object.keys(properties),
  additionalProperties: false,
})
