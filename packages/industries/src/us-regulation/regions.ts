import type { CatalogueEntry } from '@almanac/domain'

/**
 * A state or territory by its name in a title, or by its postal code after a place. `notWithin` are
 * names of other things and places that hold the state's name, as far as titles use them: a river
 * or bay counts only where it lies in its state alone.
 */
const region = (
  key: string,
  label: string,
  code: string,
  { terms = [label], notWithin }: { terms?: string[]; notWithin?: string[] } = {},
): CatalogueEntry => ({
  key,
  label,
  lexicon: { titleTerms: terms, codes: [code], ...(notWithin && { notWithin }) },
})

const state = (label: string, code: string, notWithin?: string[], terms?: string[]) =>
  region(label.toLowerCase().replaceAll(' ', '-'), label, code, {
    ...(terms && { terms }),
    ...(notWithin && { notWithin }),
  })

const states: CatalogueEntry[] = [
  state('Alabama', 'AL'),
  state('Alaska', 'AK'),
  state('Arizona', 'AZ'),
  state('Arkansas', 'AR', ['Arkansas City', 'Arkansas River']),
  state('California', 'CA', ['Baja California', 'Gulf of California', 'California, MD']),
  state('Colorado', 'CO', ['Colorado River', 'Colorado City']),
  state('Connecticut', 'CT', ['Connecticut River', 'Connecticut Avenue']),
  state('Delaware', 'DE', [
    'Delaware Basin',
    'Delaware Bay',
    'Delaware County',
    'Delaware Nation',
    'Delaware River',
    'Delaware Tribe',
    'Delaware Water Gap',
  ]),
  region('district-of-columbia', 'District of Columbia', 'DC', {
    terms: ['District of Columbia', 'Washington, DC', 'Washington, D.C.'],
    notWithin: ['District of Columbia Circuit'],
  }),
  state('Florida', 'FL'),
  state('Georgia', 'GA', [
    'Country of Georgia',
    'Georgia Strait',
    'Republic of Georgia',
    'South Georgia',
    'Strait of Georgia',
  ]),
  state('Hawaii', 'HI', undefined, ['Hawaii', 'Hawaiian']),
  state('Idaho', 'ID'),
  state('Illinois', 'IL'),
  state('Indiana', 'IN', ['Indiana County']),
  state('Iowa', 'IA', ['Iowa Tribe']),
  state('Kansas', 'KS', ['Kansas City, MO', 'Kansas City, Missouri']),
  state('Kentucky', 'KY'),
  state('Louisiana', 'LA'),
  state('Maine', 'ME', ['Gulf of Maine']),
  state('Maryland', 'MD'),
  state('Massachusetts', 'MA', ['Massachusetts Avenue']),
  state('Michigan', 'MI', ['Lake Michigan', 'Michigan City']),
  state('Minnesota', 'MN'),
  state('Mississippi', 'MS', ['Mississippi Canyon', 'Mississippi County', 'Mississippi River']),
  state('Missouri', 'MO', ['Missouri City', 'Missouri River']),
  state('Montana', 'MT'),
  state('Nebraska', 'NE'),
  state('Nevada', 'NV', ['Nevada City', 'Nevada County', 'Sierra Nevada', 'Nevada, MO']),
  state('New Hampshire', 'NH', ['New Hampshire Avenue']),
  state('New Jersey', 'NJ', ['New Jersey Avenue']),
  state('New Mexico', 'NM'),
  state('New York', 'NY', ['New York Avenue']),
  state('North Carolina', 'NC', undefined, ['North Carolina', 'North and South Carolina']),
  state('North Dakota', 'ND', undefined, ['North Dakota', 'North and South Dakota']),
  state('Ohio', 'OH', ['Ohio Class', 'Ohio County', 'Ohio River', 'Ohio Valley']),
  state('Oklahoma', 'OK'),
  state('Oregon', 'OR', ['Oregon County', 'Oregon Inlet']),
  state('Pennsylvania', 'PA', ['Pennsylvania Avenue']),
  state('Rhode Island', 'RI', ['Rhode Island Avenue']),
  state('South Carolina', 'SC'),
  state('South Dakota', 'SD'),
  state('Tennessee', 'TN', ['Tennessee River', 'Tennessee Valley Authority']),
  state('Texas', 'TX', ['Texas County', 'Texas Instruments']),
  state('Utah', 'UT'),
  state('Vermont', 'VT'),
  state('Virginia', 'VA', [
    'Virginia Avenue',
    'Virginia City',
    'Virginia Class',
    'Virginia Key',
    'West Virginia',
  ]),
  state('Washington', 'WA', [
    'Fort Washington',
    'George Washington',
    'Mount Washington',
    'Port Washington',
    'Reagan Washington National',
    'Washington, DC',
    'Washington, D.C.',
    'Washington Channel',
    'Washington County',
    'Washington Dulles',
    'Washington Metropolitan Area',
    'Washington Monument',
    'Washington Navy Yard',
    'Washington Parish',
    'Washington Township',
  ]),
  state('West Virginia', 'WV'),
  state('Wisconsin', 'WI', ['Wisconsin Avenue']),
  state('Wyoming', 'WY', ['Wyoming County', 'Wyoming Valley']),
]

const territories: CatalogueEntry[] = [
  state('American Samoa', 'AS'),
  state('Guam', 'GU'),
  region('northern-mariana-islands', 'Northern Mariana Islands', 'MP', {
    terms: ['Northern Mariana Islands', 'Northern Marianas', 'CNMI'],
  }),
  state('Puerto Rico', 'PR', undefined, ['Puerto Rico', 'Puerto Rican']),
  region('us-virgin-islands', 'U.S. Virgin Islands', 'VI', {
    terms: ['Virgin Islands'],
    notWithin: ['British Virgin Islands'],
  }),
]

export const regions: CatalogueEntry[] = [
  {
    key: 'national',
    label: 'National',
    description: 'The whole country: the title names no state or territory.',
    fallback: true,
    lexicon: {},
  },
  ...states,
  ...territories,
]
