import type { Json, RunPackage } from '@almanac/domain'
import { strictObject } from '../strict-object.ts'
import { reportScope } from './package-index.ts'
import { itemKinds } from './schema.ts'

/**
 * Structured output takes at most 1,000 enum values in a schema, and of an enum with more than 250
 * values at most 15,000 characters (OpenAI's limits; compatible servers take no fewer in practice).
 */
const enumLimits = { values: 1_000, longList: 250, longListCharacters: 15_000 }

/**
 * The JSON schema of the engine's answer, in OpenAI's strict subset: every field required, nothing
 * else allowed, no sizes. Keys are enums of the scope; an axis too large for one is any string, and
 * the validator judges it, as it judges everything that a schema says.
 */
export function reportJsonSchema({
  scope,
  limits,
}: Pick<RunPackage, 'scope' | 'limits'>): Record<string, Json> {
  const { deliverables, regions, links } = reportScope({ scope })
  let left = enumLimits.values - itemKinds.length
  const keys = (allowed: readonly string[], description: string): Json => {
    const fits =
      allowed.length <= left &&
      (allowed.length <= enumLimits.longList ||
        allowed.join('').length <= enumLimits.longListCharacters)
    if (!fits) return { type: 'string', description }
    left -= allowed.length
    return { type: 'string', enum: [...allowed], description }
  }
  const citations = (description: string): Json => ({
    type: 'array',
    items: { type: 'string' },
    description,
  })
  const item = strictObject({
    kind: {
      type: 'string',
      enum: [...itemKinds],
      description:
        'fact: what the cited evidence says; interpretation: what facts mean together; implication: what may follow.',
    },
    region: keys(regions, 'Key of the region that the cited evidence was matched to.'),
    link: keys(links, 'Key of the link that the cited evidence was matched to.'),
    text: { type: 'string', description: 'One or two plain sentences, without markup.' },
    evidence: citations('Ids of the evidence that the text rests on; at least one.'),
  })
  const line = strictObject({
    text: { type: 'string', description: 'One plain sentence, without markup.' },
    evidence: citations('Ids of the evidence it rests on; empty only if the package has none.'),
  })
  const section = strictObject({
    deliverable: keys(deliverables, 'Each key exactly once, in this order.'),
    quiet: {
      type: 'boolean',
      description: 'True if and only if no evidence was matched to this deliverable.',
    },
    items: {
      type: 'array',
      items: item,
      description: `At most ${limits.maxItemsPerSection}; empty if and only if quiet.`,
    },
  })
  return strictObject({
    summary: {
      type: 'array',
      items: line,
      description: `At least one line, at most ${limits.maxSummaryLines}.`,
    },
    sections: {
      type: 'array',
      items: section,
      description: 'One section for each deliverable, in the order of their keys.',
    },
  })
}
