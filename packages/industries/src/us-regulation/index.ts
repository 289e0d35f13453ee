import type { Industry } from '@almanac/domain'
import { deliverables } from './deliverables.ts'
import { instruction } from './instruction.ts'
import { links } from './links.ts'
import { regions } from './regions.ts'

/** Rules and proposed rules of United States agencies, by state and by regulated sector. */
export const usRegulation: Industry = {
  id: 'us-regulation',
  version: '1.0.0',
  title: 'US federal regulation',
  lookBackDays: 7,
  instruction,
  deliverables,
  regions,
  links,
}
