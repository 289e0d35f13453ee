import type { RunPackage } from '@almanac/domain'
import { samplePackage, type SampleItem } from '../../packages/llm/src/testing/sample-package.ts'
import { seeded } from './report-defects.ts'

const subjects = [
  ['FAA', 'Airworthiness Directives: Meridian Aircraft Model'],
  ['FAA', 'Amendment of Class E Airspace'],
  ['EPA', 'Air Plan Approval: Regional Haze Plan'],
  ['EPA', 'Pesticide Tolerances: Residues in Crops'],
  ['FDA', 'Food Labeling: Standards of Identity'],
  ['USCG', 'Safety Zone: Fireworks on the River'],
  ['FERC', 'Natural Gas Pipelines: Filing of Rates'],
  ['FCC', 'Television Broadcasting Services: Allotments'],
  ['HUD', 'Fair Market Rents for Housing Vouchers'],
  ['OSHA', 'Occupational Exposure: Silica in Construction'],
] as const
const places = ['Ohio', 'Texas', 'California', 'Oregon', 'Florida', 'Alaska']

/** A report's run package over `items` invented rules and proposals of one week, made from the seed. */
export function seededPackage(
  seed: number,
  items: number,
  limits: Partial<RunPackage['limits']> = {},
): RunPackage {
  const random = seeded(seed)
  const one = <T>(list: readonly T[], otherwise: T): T =>
    list[Math.floor(random() * list.length)] ?? otherwise
  return samplePackage({
    limits,
    items: Array.from({ length: items }, (_, i): SampleItem => {
      const [agency, subject] = one(subjects, subjects[0])
      const place = random() < 0.5 ? `; ${one(places, 'Ohio')}` : ''
      const isProposal = random() < 0.4
      const day = 7 + Math.floor(random() * 7)
      const commentEnd = `2022-0${4 + Math.floor(random() * 2)}-${10 + Math.floor(random() * 18)}`
      return {
        itemId: `${seed}-${i}`,
        publishedAt: `2022-03-${String(day).padStart(2, '0')}T15:00:00Z`,
        title: `${subject} ${seed}-${i}${place}`,
        text: `The agency sets a limit of ${100 + i} units for ${2 + i} classes of operators.`,
        url: `https://www.register.example/${seed}/${i}`,
        attributes: {
          agency,
          documentType: isProposal ? 'Proposed Rule' : 'Rule',
          docket: `${agency}-2022-${String(1000 + 10 * i + seed)}`,
          ...(isProposal && { commentEndDate: `${commentEnd}T03:59:59Z` }),
        },
      }
    }),
  })
}
