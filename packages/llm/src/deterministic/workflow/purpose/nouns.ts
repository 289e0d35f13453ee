import { singular } from '@almanac/documents'
import type { SubjectName } from '../knowledge/archetype.ts'

/** The nouns of each class, in the singular. */
const nouns: Record<SubjectName, string> = {
  customers:
    'customer client user member subscriber guest shopper buyer visitor citizen tenant lead prospect donor audience sale demand',
  data: 'data feedback satisfaction churn opinion answer dataset record metric kpi list figure database table dashboard statistic reading measurement number indicator log catalogue catalog directory inventory sample result usage energy emission temperature quality price trend time rate performance',
  documents:
    'document finding contract report policy manual article paper file form letter book guideline summary newsletter brief minute proposal plan agreement protocol chart note page content documentation specification evidence review dossier thesis translation handbook story bulletin digest briefing script',
  equipment:
    'equipment machine vehicle tool instrument pump engine boiler robot fleet truck car bus aircraft ship device sensor hardware laptop printer elevator lift crane turbine generator camera line bike bicycle forklift',
  events:
    'event conference workshop meeting trip campaign festival exhibition fair seminar course retreat wedding hackathon webinar tour sprint class exercise drill season race concert day session',
  goods:
    'product good part stock food shipment item parcel order material ingredient medicine drug vaccine crop meal package delivery waste spare component coffee bread vegetable milk supply blood chemical resin foam feature service merchandise dish plant seed',
  incidents:
    'incident complaint outage defect request ticket bug failure accident problem issue emergency breach claim error fault case alarm escalation recall downtime fraud risk injury theft delay',
  money:
    'money invoice budget grant fund payment cost expense account ledger loan tax fee salary payroll revenue spend spending cash donation subsidy bill book finance receivable payable',
  organisations:
    'supplier vendor partner agency department company firm team subcontractor contractor provider branch school hospital clinic bank distributor carrier charity startup university ministry committee',
  people:
    'employee student patient volunteer person hire starter newcomer staff worker nurse teacher child candidate apprentice trainee manager driver engineer colleague intern crew resident refugee learner participant skill talent parent family graduate doctor player',
  places:
    'warehouse office site room land building facility store shop factory farm garden kitchen laboratory lab street park depot location property house flat apartment ward workspace bridge road field station library museum',
  rules:
    'law rule permit licence license standard regulation requirement compliance certification gdpr iso accreditation obligation patent visa approval sanction duty legislation directive treaty certificate',
  software:
    'software system application app server website code platform api cloud network crm erp model pipeline infrastructure email mailbox portal integration data-centre datacentre algorithm chatbot password backup intranet workload endpoint',
}

const classes: ReadonlyMap<string, SubjectName> = new Map(
  (Object.entries(nouns) as [SubjectName, string][]).flatMap(([name, list]) =>
    list.split(/\s+/).map((noun) => [noun, name] as const),
  ),
)

/**
 * The class of thing that a phrase names: that of its last known noun, since English puts the head last
 * (`supplier contracts` are documents). Undefined when no word of it is known.
 */
export function subjectOf(phrase: string): SubjectName | undefined {
  const words = phrase.toLowerCase().split(/[^\p{L}\p{N}-]+/u)
  for (const word of words.reverse()) {
    const found = classes.get(singular(word)) ?? classes.get(word)
    if (found) return found
  }
  return undefined
}
