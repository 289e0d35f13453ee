import type { CatalogueEntry } from '@almanac/domain'
import { phrases } from '../phrases.ts'

/**
 * An item that its publisher took back belongs to `corrections-and-withdrawals` alone: whoever reads
 * the rules or watches deadlines must not act on it.
 */
export const deliverables: CatalogueEntry[] = [
  {
    key: 'final-rules',
    label: 'Final rules',
    description: 'Rules that agencies published in the period, except those taken back.',
    lexicon: { requires: { documentType: ['Rule'], withdrawn: ['false'] } },
  },
  {
    key: 'proposed-rules',
    label: 'Proposed rules',
    description: 'Proposals that agencies published in the period, except those taken back.',
    lexicon: { requires: { documentType: ['Proposed Rule'], withdrawn: ['false'] } },
  },
  {
    key: 'comment-deadlines',
    label: 'Comment deadlines',
    description: 'Documents of the period that the public may comment on, with the closing date.',
    lexicon: { requires: { withdrawn: ['false'] }, present: ['commentEndDate'] },
  },
  {
    key: 'corrections-and-withdrawals',
    label: 'Corrections and withdrawals',
    description: 'Corrections of earlier documents, and documents that were withdrawn.',
    lexicon: {
      attributes: { withdrawn: ['true'] },
      titleHints: phrases(`
        correction, corrections, correcting, corrected, withdrawal, withdrawals,
        withdrawn, withdrawing
      `),
      notWithin: phrases(`
        address correction, address corrections, department of corrections, groundwater
        withdrawal, groundwater withdrawals, land withdrawal, land withdrawals, vision
        correction, water withdrawal, water withdrawals, withdrawal liability,
        withdrawal symptoms
      `),
    },
  },
]
