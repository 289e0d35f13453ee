import type { CatalogueEntry } from '@almanac/domain'
import { phrases } from '../phrases.ts'

interface Names {
  within?: string
  terms: string[]
  /** Names that in running text may mean something else, such as `US`. */
  hints?: string[]
  notWithin?: string[]
}

const region = (
  key: string,
  label: string,
  { within, terms, hints, notWithin }: Names,
): CatalogueEntry => ({
  key,
  label,
  ...(within && { within }),
  lexicon: {
    terms,
    ...(hints && { titleHints: hints }),
    ...(notWithin && { notWithin }),
  },
})

/** Three wide regions and what lies within them; who orders a wide one gets all of it. */
export const regions: CatalogueEntry[] = [
  region('emea', 'EMEA', {
    terms: ['EMEA', 'Europe Middle East and Africa', 'Europe the Middle East and Africa'],
  }),
  region('europe', 'Europe', {
    within: 'emea',
    terms: phrases(`
      Antwerp, Austria, Belgian, Belgium, Britain, British, Brunsbüttel, Bulgaria,
      Croatia, Czech, Denmark, Dormagen, Dutch, Europe, European, EU, Finland, France,
      French, German, Germany, Greece, Hungarian, Hungary, Ireland, Italian, Italy,
      Kazincbarcika, Leverkusen, Lithuania, Ludwigshafen, Netherlands, Norway, Poland,
      Portugal, Romania, Rotterdam, Russia, Russian, Schwarzheide, Serbia,
      Slovakia, Slovenia, Spain, Spanish, Sweden, Swedish, Swiss, Switzerland, Tarragona,
      UK, Ukraine, United Kingdom
    `),
    notWithin: ['British Columbia', 'French Guiana', 'New Britain'],
  }),
  region('middle-east', 'Middle East', {
    within: 'emea',
    terms: phrases(`
      Bahrain, GCC, Gulf Cooperation Council, Iran, Iranian, Iraq, Israel, Jubail, Kuwait,
      Middle East, Middle Eastern, Oman, Qatar, Saudi, Saudi Arabia, Türkiye, Turkish,
      UAE, United Arab Emirates
    `),
    hints: ['Turkey'],
  }),
  region('africa', 'Africa', {
    within: 'emea',
    terms: phrases(`
      Africa, African, Algeria, Egypt, Egyptian, Ethiopia, Ghana, Kenya, Morocco, Nigeria,
      South Africa, Tunisia
    `),
    notWithin: ['African American'],
  }),
  region('americas', 'Americas', { terms: ['Americas', 'the Americas', 'Western Hemisphere'] }),
  region('north-america', 'North America', {
    within: 'americas',
    terms: phrases(`
      Baytown, Canada, Canadian, Geismar, Gulf Coast, Houston, Louisiana, North America,
      North American, Ontario, Texas, U.S., United States, USA
    `),
    hints: ['American', 'US'],
    notWithin: phrases(`
      Central American, Latin American, South American, Contact US, About US, Texas
      Instruments
    `),
  }),
  region('latin-america', 'Latin America', {
    within: 'americas',
    terms: phrases(`
      Argentina, Bolivia, Brazil, Brazilian, Caribbean, Central America, Central American,
      Chile, Colombia, Ecuador, Latin America, Latin American, Mercosur, Mexican, Mexico,
      Panama, Peru, South America, South American, Uruguay, Venezuela
    `),
    notWithin: ['Gulf of Mexico', 'New Mexico'],
  }),
  region('apac', 'APAC', {
    terms: ['APAC', 'Asia', 'Asian', 'Asia Pacific', 'Far East'],
    notWithin: ['Central Asia', 'Central Asian', 'Southeast Asia', 'South East Asia', 'South Asia'],
  }),
  region('china', 'China', {
    within: 'apac',
    terms: phrases(`
      Caojing, China, Chinese, Chongqing, Fujian, Guangdong, Hong Kong, Ningbo, Shandong,
      Shanghai, Taiwan, Taiwanese, Yantai, Zhejiang
    `),
    notWithin: ['Bone China', 'China clay', 'South China Sea'],
  }),
  region('india', 'India and South Asia', {
    within: 'apac',
    terms: phrases(`
      Bangladesh, Dahej, Gujarat, India, Indian, Maharashtra, Mumbai, Pakistan, South
      Asia, Sri Lanka
    `),
    notWithin: ['American Indian', 'Indian Ocean', 'West Indian'],
  }),
  region('japan-and-korea', 'Japan and Korea', {
    within: 'apac',
    terms: phrases(`
      Japan, Japanese, Korea, Korean, Nanyo, Omuta, South Korea, Ulsan, Yeosu
    `),
    notWithin: ['North Korea', 'North Korean'],
  }),
  region('southeast-asia', 'Southeast Asia', {
    within: 'apac',
    terms: phrases(`
      ASEAN, Indonesia, Indonesian, Malaysia, Malaysian, Map Ta Phut, Philippines,
      Singapore, South East Asia, Southeast Asia, Southeast Asian, Thai, Thailand,
      Vietnam, Vietnamese
    `),
  }),
  region('oceania', 'Australia and New Zealand', {
    within: 'apac',
    terms: ['Australia', 'Australian', 'New South Wales', 'New Zealand', 'Oceania'],
  }),
  {
    key: 'global',
    label: 'Global',
    description: 'No region is named.',
    fallback: true,
    lexicon: {},
  },
]
