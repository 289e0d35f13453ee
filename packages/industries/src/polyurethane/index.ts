import type { Industry } from '@almanac/domain'
import { deliverables } from './deliverables.ts'
import { instruction } from './instruction.ts'
import { links } from './links.ts'
import { regions } from './regions.ts'

/** The polyurethane value chain, from feedstocks to end uses, by world region. */
export const polyurethane: Industry = {
  id: 'polyurethane',
  version: '1.0.0',
  title: 'Polyurethane Observatory',
  lookBackDays: 7,
  instruction,
  deliverables,
  regions,
  links,
}
