import { describe, expect, it } from 'vitest'
import { createMatcher, type Matchable } from '../match.ts'
import { usRegulation } from './index.ts'

const matcher = createMatcher(usRegulation)

const rule = (title: string, more: Partial<Matchable> = {}): Matchable => ({
  title,
  text: '',
  attributes: { documentType: 'Rule' },
  withdrawn: false,
  ...more,
})

const regionsOf = (title: string) => matcher.matches(rule(title)).regions
const linksOf = (title: string, agency?: string) =>
  matcher.matches(rule(title, { attributes: agency === undefined ? {} : { agency } })).links

describe('regions', () => {
  it('are the fifty states, the District, five territories, and the whole country', () => {
    expect(usRegulation.regions).toHaveLength(50 + 1 + 5 + 1)
  })

  it('have the postal codes of the United States, each once', () => {
    const codes = usRegulation.regions.flatMap(({ lexicon }) => lexicon.codes ?? [])
    expect(codes.toSorted().join(' ')).toBe(
      'AK AL AR AS AZ CA CO CT DC DE FL GA GU HI IA ID IL IN KS KY LA MA MD ME MI MN MO MP MS MT ' +
        'NC ND NE NH NJ NM NV NY OH OK OR PA PR RI SC SD TN TX UT VA VI VT WA WI WV WY',
    )
  })

  it.each<[string, string[]]>([
    // Washington
    ['Human Health Criteria: Washington', ['washington']],
    ['Seattle, Washington', ['washington']],
    ['Security Zone; Potomac River; Washington, DC', ['district-of-columbia']],
    ['Safety Zones: Potomac River, Washington, D.C.', ['district-of-columbia']],
    ['Restricted Area: Washington Channel, Fort McNair, Washington, DC', ['district-of-columbia']],
    [
      'Emissions for the Washington, DC-MD-VA Area',
      ['district-of-columbia', 'maryland', 'virginia'],
    ],
    ['Hydroplane Race, Lake Washington, WA', ['washington']],
    ['Construction Relief: Ronald Reagan Washington National Airport', ['national']],
    ['Supplementary Rule: Washington County, UT', ['utah']],
    ['Pears Grown in Oregon and Washington', ['oregon', 'washington']],
    // Virginia
    ['Approvals: Virginia; Revision', ['virginia']],
    ['Approvals: West Virginia; Revision', ['west-virginia']],
    ['Maryland, Virginia and West Virginia', ['maryland', 'virginia', 'west-virginia']],
    ['Virginia-Class Submarines', ['national']],
    // One name in another
    ['Approvals: Arkansas', ['arkansas']],
    ['Approvals: Kansas', ['kansas']],
    ['Missouri River, Kansas City, MO', ['missouri']],
    ['Indianapolis 500', ['national']],
    ['Indiana and Ohio', ['indiana', 'ohio']],
    ['Albuquerque, New Mexico', ['new-mexico']],
    ['Reef Fish of the Gulf of Mexico', ['national']],
    ['Northeast Multispecies in the Gulf of Maine', ['national']],
    ['Groundfish off Alaska: the Gulf of Alaska', ['alaska']],
    ['New York Harbor; Liberty Island', ['new-york']],
    ['York River, Yorktown, VA', ['virginia']],
    ['New Jersey, and the Isle of Jersey', ['new-jersey']],
    ['North and South Carolina', ['north-carolina', 'south-carolina']],
    ['North Dakota; South Dakota', ['north-dakota', 'south-dakota']],
    // Georgia
    ['Approvals: Georgia; Murray County Area', ['georgia']],
    ['Savannah River, Savannah, GA', ['georgia']],
    ['Ships in the Strait of Georgia', ['national']],
    ['St. George’s Creek, Piney Point, MD', ['maryland']],
    // Rivers, lakes, bays, mountains, ships
    ['Lower Mississippi River, Mile Markers 636–655, Modoc, AR', ['arkansas']],
    ['Ohio River, Louisville, KY', ['kentucky']],
    ['Muskingum River Ohio SO2 Area', ['ohio']],
    ['Sector Ohio Valley Annual Safety Zones', ['national']],
    ['Lake Michigan, Chicago, IL', ['illinois']],
    ['Delaware Bay; Lewes, DE', ['delaware']],
    ['Lower Colorado River Basin', ['national']],
    ['Southern Sierra Nevada Population of Fisher', ['national']],
    ['Oregon Inlet Channel, Dare County, NC', ['north-carolina']],
    ['Trenton Channel; Michigan City, IN', ['indiana']],
    // Territories
    ['Regional Haze: United States Virgin Islands', ['us-virgin-islands']],
    ['British Virgin Islands', ['national']],
    ['Petition by Guam', ['guam']],
    ['American Samoa Bottomfish', ['american-samoa']],
    ['Trade with Samoa', ['national']],
    ['The Commonwealth of the Northern Mariana Islands', ['northern-mariana-islands']],
    ['San Juan, PR', ['puerto-rico']],
    ['Removal of the Puerto Rican Boa', ['puerto-rico']],
    ['Main Hawaiian Islands Deep 7 Bottomfish', ['hawaii']],
    // Codes that are words
    ['Rules in, or of, me; hi, oh, ok, la', ['national']],
    ['RULES, OR ORDERS, IN ALL CAPITALS', ['national']],
    ['Portland, OR; Gary, IN; Bangor, ME', ['indiana', 'maine', 'oregon']],
    ['Storage Casks: TN Americas LLC, TN-68 Dry Storage Cask System', ['national']],
    ['Crop Grouping Program VI', ['national']],
    ['Pesticide: IN-11669: Cellulose', ['national']],
  ])('of %j', (title, expected) => {
    expect(regionsOf(title)).toEqual(expected)
  })

  it('are read from the title alone', () => {
    const { regions } = matcher.matches(rule('Light Vehicles', { text: 'Made in Ohio and Texas.' }))
    expect(regions).toEqual(['national'])
  })
})

describe('deliverables', () => {
  const commentEndDate = '2022-02-18T04:59:59Z'

  it.each<[string, Partial<Matchable>, string[]]>([
    ['Fees', { attributes: { documentType: 'Rule' } }, ['final-rules']],
    ['Fees', { attributes: { documentType: 'Proposed Rule' } }, ['proposed-rules']],
    [
      'Fees',
      { attributes: { documentType: 'Rule', commentEndDate } },
      ['final-rules', 'comment-deadlines'],
    ],
    ['Fees', { attributes: { documentType: 'Notice', commentEndDate } }, ['comment-deadlines']],
    ['Fees; Correction', {}, ['final-rules', 'corrections-and-withdrawals']],
    ['Withdrawal of Direct Final Rule', {}, ['final-rules', 'corrections-and-withdrawals']],
    ['Correcting Amendments', {}, ['final-rules', 'corrections-and-withdrawals']],
    ['Address Correction Notices', {}, ['final-rules']],
    ['Assumptions for an Employer’s Withdrawal Liability', {}, ['final-rules']],
    ['Prompt Corrective Action', {}, ['final-rules']],
    ['Contraband in Correctional Facilities', {}, ['final-rules']],
    ['Fees', { text: 'This is a correction.' }, ['final-rules']],
    ['Fees', { attributes: {} }, []],
  ])('of %j %j', (title, more, expected) => {
    expect(matcher.matches(rule(title, more)).deliverables).toEqual(expected)
  })

  it('of an item taken back are corrections and withdrawals alone', () => {
    for (const documentType of ['Rule', 'Proposed Rule']) {
      const item = rule('Fees', { withdrawn: true, attributes: { documentType, commentEndDate } })
      expect(matcher.matches(item).deliverables).toEqual(['corrections-and-withdrawals'])
    }
  })
})

describe('links', () => {
  it.each<[string, string | undefined, string[]]>([
    ['Civil Monetary Penalty Inflation Adjustment', 'FAA', ['aviation']],
    ['Civil Monetary Penalty Inflation Adjustment', 'GEO', ['other']],
    ['Airline Ticket Refunds', 'DOT', ['aviation', 'transport']],
    ['Access to Broadband', undefined, ['communications']],
    ['Energy Conservation Program: Clothes Washers', 'EERE', ['energy']],
    ['Pesticide Tolerance; Novaluron', 'EPA', ['environment', 'food-and-agriculture']],
    ['Extension of Deferral of Sanctions', 'EPA', ['environment']],
    ['Burundi Sanctions Regulations', 'OFAC', ['trade-and-customs']],
    ['Taking or Importing of Marine Mammals', 'NOAA', ['maritime-and-fisheries']],
    ['Taking and Importing Marine Mammals', 'NOAA', ['maritime-and-fisheries']],
    ['Tariff of Tolls', 'SLSDC', ['maritime-and-fisheries']],
    ['Social Security Number Fraud Prevention Act', 'VA', ['veterans']],
    ['Visas: Diversity Immigrants', 'DOS', ['immigration']],
    ['International Traffic in Arms', 'DOS', ['defense']],
    ['Fair Housing', undefined, ['housing']],
    ['A Title Without Sector', undefined, ['other']],
  ])('of %j by %s', (title, agency, expected) => {
    expect(linksOf(title, agency)).toEqual(expected)
  })
})
