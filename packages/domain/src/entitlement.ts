import { z } from 'zod'
import { cadence, isFasterThan } from './cadence/cadence.ts'
import { axes, catalogueKey } from './catalogue.ts'
import type { Specification } from './specification.ts'

const keysOrAll = z.union([z.literal('*'), z.array(catalogueKey)])

/** What a tenant has paid for; written by operators only. `*` means the whole catalogue. */
export const entitlement = z.strictObject({
  industries: z.record(
    catalogueKey,
    z.strictObject({ deliverables: keysOrAll, regions: keysOrAll, links: keysOrAll }),
  ),
  /** Whether workflow documents are included. */
  workflows: z.boolean().default(false),
  fastestCadence: cadence.exclude(['on_demand']),
  activeSpecifications: z.int().min(0),
  onDemandRunsPerMonth: z.int().min(0),
})
export type Entitlement = z.output<typeof entitlement>

/** One thing that a specification asks for and the entitlement lacks. */
export interface Unentitled {
  field: string
  value: string
  allowed: string
}

/** Everything in `specification` that `entitlement` does not cover; empty when all is covered. Pure. */
export function unentitled(specification: Specification, entitled: Entitlement): Unentitled[] {
  const missing: Unentitled[] = []
  const { fastestCadence } = entitled
  if (isFasterThan(specification.cadence, fastestCadence))
    missing.push({
      field: 'cadence',
      value: specification.cadence,
      allowed: `${fastestCadence} or slower`,
    })
  if (specification.kind === 'workflow') {
    if (!entitled.workflows)
      missing.push({ field: 'kind', value: 'workflow', allowed: 'report only' })
    return missing
  }
  const granted = entitled.industries[specification.industry]
  if (!granted) {
    const allowed = Object.keys(entitled.industries).join(', ') || 'no industry'
    return [...missing, { field: 'industry', value: specification.industry, allowed }]
  }
  for (const axis of axes) {
    const keys = granted[axis]
    if (keys === '*') continue
    for (const value of specification[axis].filter((key) => !keys.includes(key)))
      missing.push({ field: axis, value, allowed: keys.join(', ') || 'none' })
  }
  return missing
}
