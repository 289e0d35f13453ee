import type { CatalogueEntry } from '@almanac/domain'
import { phrases } from '../phrases.ts'

/** What a sector is known by: the acronyms of its agencies, and phrases in titles of any agency. */
interface Sector {
  description: string
  agencies?: string[]
  terms?: string[]
  hints?: string[]
  notWithin?: string[]
}

const sector = (
  key: string,
  label: string,
  { description, agencies, terms, hints, notWithin }: Sector,
): CatalogueEntry => ({
  key,
  label,
  description,
  lexicon: {
    ...(agencies && { attributes: { agency: agencies } }),
    ...(terms && { terms }),
    ...(hints && { titleHints: hints }),
    ...(notWithin && { notWithin }),
  },
})

/**
 * Regulated sectors. An agency may serve several; its acronym is that of regulations.gov. Terms are
 * phrases that mean the sector anywhere, hints are words that do so in a title only.
 */
export const links: CatalogueEntry[] = [
  sector('aviation', 'Aviation and space', {
    description: 'Aircraft, airspace, airports, airlines, space flight.',
    agencies: ['FAA', 'NASA', 'NTSB'],
    terms: phrases(`
      air carrier, air carriers, air traffic, airline, airlines, airport, airports,
      airspace, airworthiness, aviation, commercial space, drones, unmanned aircraft
    `),
    hints: ['aircraft', 'airplanes', 'helicopter', 'helicopters'],
  }),
  sector('communications', 'Communications', {
    description: 'Broadcasting, telephony, broadband, satellites, spectrum.',
    agencies: ['FCC', 'NTIA'],
    terms: phrases(`
      broadband, broadcasting, radio spectrum, robocalls, satellite services,
      telecommunications, telemarketing, wireless spectrum
    `),
    hints: ['communications use', 'communications uses', 'radio frequency'],
  }),
  sector('consumer-protection', 'Consumer protection', {
    description: 'Product safety, advertising, unfair practices, consumer credit.',
    agencies: ['CFPB', 'CPSC', 'FTC'],
    terms: phrases(`
      consumer financial protection, consumer product safety, consumer protection,
      consumer protections, deceptive practices, product recall, unfair and deceptive,
      unfair or deceptive
    `),
  }),
  sector('defense', 'Defense and armed forces', {
    description: 'Armed forces, arms exports, defense contracts.',
    agencies: ['DARS', 'DOD', 'USA', 'USAF', 'USMC', 'USN'],
    terms: phrases(`
      armed forces, defense federal acquisition, department of defense, itar, munitions,
      traffic arms regulation, traffic in arms, international traffic arms, tricare
    `),
    hints: ['joint base', 'military', 'naval base', 'naval station', 'naval support activity'],
  }),
  sector('education', 'Education and research', {
    description: 'Schools, universities, student aid, research grants, arts and archives.',
    agencies: ['ARTS', 'ED', 'IMLS', 'NARA', 'NEH', 'NIST', 'NSF'],
    terms: phrases(`
      colleges, elementary and secondary, federal student aid, higher education,
      postsecondary, schools, student loan, student loans, universities
    `),
    hints: ['education', 'educational'],
  }),
  sector('energy', 'Energy and mining', {
    description: 'Electricity, oil and gas, nuclear, coal and minerals, energy efficiency.',
    agencies: phrases(`
      BOEM, BSEE, DNFSB, DOE, EERE, FERC, MSHA, MSHFRC, NRC, ONRR, OSM, RUS, TVA
    `),
    terms: phrases(`
      coal mining, electric utilities, electric utility, energy conservation, energy
      efficiency, energy labeling, fuel economy, hydropower, natural gas, nuclear power,
      oil and gas, oil and natural gas, oil spill, offshore wind, outer continental shelf,
      petroleum, power plants, radioactive, renewable energy, renewable fuel, renewable
      fuels, spent fuel, uranium
    `),
    hints: ['coal', 'gasoline', 'fuels', 'mine', 'mining', 'minerals', 'powerline'],
  }),
  sector('environment', 'Environment', {
    description: 'Air, water, waste, chemicals, pesticides, climate.',
    agencies: ['CEQ', 'DRBC', 'EPA', 'SRBC'],
    terms: phrases(`
      air pollution, air quality, clean air act, clean water act, climate change, climate
      related, drinking water, environmental policy act, greenhouse gas, greenhouse gases,
      hazardous waste, pollutants, toxic substances, water quality
    `),
    hints: ['environmental'],
    notWithin: ['drinking water of animals', 'Environmental Defense Fund'],
  }),
  sector('finance', 'Banking and finance', {
    description: 'Banks, credit unions, securities, derivatives, payments, illicit finance.',
    agencies: phrases(`
      ASC, CFPB, CFTC, EIB, FCA, FCSIC, FDIC, FFIEC, FHFA, FINCEN, FISCAL, FRS, FSOC,
      NCUA, OCC, SEC, TREAS
    `),
    terms: phrases(`
      anti money laundering, banking organizations, beneficial ownership, broker dealers,
      community reinvestment act, credit union, credit unions, derivatives, financial
      institutions, investment companies, money market, securities, swap execution
    `),
    hints: ['banking', 'lending', 'loan programs'],
  }),
  sector('food-and-agriculture', 'Food and agriculture', {
    description: 'Farming, livestock, food safety, food aid, alcohol, rural programs.',
    agencies: phrases(`
      AMS, APHIS, ARS, CCC, ERS, FAS, FCA, FCIC, FNS, FSA, FSIS, GIPSA, NIFA, NRCS, RBS,
      TTB, USDA
    `),
    terms: phrases(`
      agricultural, agriculture, animal drug, animal drugs, animal food, crop insurance,
      dairy, dietary guidelines, distilled spirits, farm, farms, food additive, food
      additives, food labeling, food program, food safety, foods, grown in, livestock,
      malt beverages, marketing order, meat, nutrition assistance, pesticide petitions,
      pesticide tolerance, poultry, raw agricultural commodities, tolerance exemption,
      viticultural area, viticultural areas
    `),
    hints: ['crop', 'food', 'grazing', 'nutrition', 'produce'],
  }),
  sector('health', 'Health', {
    description: 'Medicare and Medicaid, drugs, devices, public health, health insurance.',
    agencies: phrases(`
      ACL, AHRQ, CDC, CMS, DEA, FDA, HHS, HHSIG, HRSA, IHS, NIH, PHS, SAMHSA
    `),
    terms: phrases(`
      affordable care act, biological products, clinical laboratories, controlled
      substances, covid 19, drug products, explanation of benefits, health benefits,
      health care, health insurance, health plans, healthcare, hospital, hospitals,
      medicaid, medical, medicare, opioid, public health, surprise billing, telehealth,
      vaccination, vaccine
    `),
    hints: ['disease', 'drugs', 'health'],
  }),
  sector('homeland-security', 'Homeland security and emergencies', {
    description: 'Disaster aid, infrastructure and transport security, cyber security.',
    agencies: ['CISA', 'DHS', 'FEMA', 'TSA', 'USSS'],
    terms: phrases(`
      critical infrastructure, cyber incident, cyber security, cybersecurity, disaster
      assistance, disaster recovery, emergency preparedness, flood insurance, homeland
      security
    `),
    hints: ['cyber', 'disaster', 'disasters', 'insider threat'],
  }),
  sector('housing', 'Housing', {
    description: 'Mortgages, public and rural housing, fair housing.',
    agencies: ['FHFA', 'HUD', 'RHS'],
    terms: phrases(`
      fair housing, flood insurance rate, home loan, housing, manufactured home,
      manufactured homes, mortgage, mortgages, rental assistance
    `),
  }),
  sector('immigration', 'Immigration and travel', {
    description: 'Visas, asylum, citizenship, border crossing, passports.',
    agencies: ['EOIR', 'ICEB', 'USCIS'],
    terms: phrases(`
      asylum, consular, electronic system for travel authorization, h 1b, h 2a, h 2b,
      immigrant visas, immigrants, immigration, naturalization, nonimmigrant,
      nonimmigrants, passports, ports of entry, refugees, visa, visas
    `),
  }),
  sector('intellectual-property', 'Patents, trademarks and copyright', {
    description: 'Patents, trademarks, copyright and its royalties.',
    agencies: ['COLC', 'CRB', 'IPEC', 'PTO'],
    terms: ['copyright', 'patent', 'patents', 'royalty rates', 'trademark', 'trademarks'],
  }),
  sector('justice-and-elections', 'Justice and elections', {
    description: 'Courts, prisons, firearms, law enforcement, elections.',
    agencies: ['ATF', 'BOP', 'CSOSA', 'DEA', 'DOJ', 'EAC', 'FEC', 'LSC', 'OJP', 'USC', 'USPC'],
    terms: phrases(`
      campaign finance, correctional facilities, federal rules of, firearm, firearms, law
      enforcement, political committee, political committees, prisoners
    `),
  }),
  sector('labor', 'Labor', {
    description: 'Pay, workplace safety, unions, pensions, equal employment.',
    agencies: phrases(`
      BLS, DOL, EBSA, EEOC, ETA, FLRA, FMCS, LMSO, MSHA, MSHFRC, MSPB, NLRB, NMB, OFCCP,
      OPM, OSC, OSHA, OSHRC, PBGC, VETS, WCPO, WHD
    `),
    terms: phrases(`
      apprenticeship, collective bargaining, employee benefit plans, fair labor standards,
      labor standards, minimum wage, occupational exposure, occupational safety, pension,
      pensions, prevailing rate systems, prevailing wage, retirement plans, unemployment
      insurance, workers compensation, workplace
    `),
    hints: ['employer', 'employers', 'employment', 'worker', 'workers'],
  }),
  sector('maritime-and-fisheries', 'Maritime and fisheries', {
    description: 'Navigation, ports, shipping, waterways, fishing, marine mammals.',
    agencies: ['COE', 'FMC', 'GLS', 'MARAD', 'NOAA', 'SLSDC', 'USCG'],
    terms: phrases(`
      anchorage, coast guard, drawbridge, fisheries, fishery, fishing, harbor, inland
      waterways, marine mammals, maritime, navigable waters, ocean shipping, passenger
      vessels, safety zone, safety zones, seaway, waterway
    `),
    hints: ['marine', 'seafood', 'shipping', 'vessel', 'vessels'],
    notWithin: ['marine toxins'],
  }),
  sector('postal', 'Postal services', {
    description: 'Mail standards, prices and products.',
    agencies: ['PRC', 'USPS'],
    terms: ['domestic mail', 'mailing standards', 'postal'],
  }),
  sector('procurement', 'Government procurement', {
    description: 'Federal contracts, acquisition rules, federal property and travel.',
    agencies: ['CPPBSD', 'DARS', 'FAR', 'GSA', 'OFPP'],
    terms: phrases(`
      acquisition circular, acquisition regulation, acquisition regulations, buy american,
      contractors, federal acquisition, government contracting, procurement
    `),
  }),
  sector('small-business', 'Small business', {
    description: 'Size standards, small-business loans and contracts.',
    agencies: ['SBA'],
    terms: ['small business', 'small businesses'],
  }),
  sector('social-benefits', 'Social security and benefits', {
    description: 'Social Security, retirement savings, family and community programs.',
    agencies: ['ACF', 'CNCS', 'FRTIB', 'RRB', 'SSA'],
    terms: phrases(`
      child support, foster care, head start, legal assistance, paternity establishment,
      representative payees, social security benefits, social security payments,
      supplemental security income
    `),
    hints: ['social security'],
    notWithin: ['social security number', 'social security numbers'],
  }),
  sector('taxation', 'Taxation', {
    description: 'Federal taxes and their collection.',
    agencies: ['IRS', 'TTB'],
    terms: phrases(`
      excise tax, excise taxes, income tax, income taxes, internal revenue, tax credit,
      tax credits, tax return, tax returns, taxation, taxpayer, taxpayers
    `),
    hints: ['tax', 'taxes'],
  }),
  sector('trade-and-customs', 'Trade, customs and sanctions', {
    description: 'Imports, exports, tariffs, sanctions, foreign investment.',
    agencies: ['BIS', 'EAB', 'EIB', 'FTZB', 'ITA', 'ITC', 'OFAC', 'USBC', 'USCBP', 'USTR'],
    terms: phrases(`
      antidumping, countervailing duty, countervailing duties, customs, customs duties,
      entity list, export administration, export controls, foreign investment, foreign
      trade, import restrictions, importation, importing, investments in the united states
      by foreign persons, sanctions regulations, tariff, tariffs, traffic in arms
      regulations, trade agreement
    `),
    hints: phrases(`
      export, exports, foreign persons, foreign states, import, imports, sanctions
    `),
    notWithin: phrases(`
      automated tariffs, civil sanctions, defer sanctions, deferral of sanctions, section
      179 sanctions, taking and importing, taking or importing, tariff of tolls
    `),
  }),
  sector('transport', 'Road, rail and pipelines', {
    description: 'Roads and vehicles, railroads, transit, pipelines, hazardous cargo.',
    agencies: ['DOT', 'FHWA', 'FMCSA', 'FRA', 'FTA', 'NHTSA', 'PHMSA', 'STB'],
    terms: phrases(`
      commercial driver, commercial motor vehicle, hazardous materials transportation,
      highway, highways, motor carrier, motor carriers, motor vehicle, motor vehicles,
      pipeline, pipelines, public transportation, railroad, railroads, surface
      transportation, transit systems
    `),
    hints: phrases(`
      hazardous materials, heavy duty vehicles, light duty vehicles, rail, transportation
    `),
    notWithin: ['air transportation', 'common carrier transportation'],
  }),
  sector('tribal-affairs', 'Tribal affairs', {
    description: 'Tribes, Indian lands, gaming, tribal trust.',
    agencies: ['BIA', 'NIGC'],
    terms: phrases(`
      american indian, american indians, buy indian act, indian country, indian gaming,
      indian lands, indian nation, indian reservation, indian reservations, indian tribe,
      indian tribes, native american, native americans, tribal, tribally, tribes
    `),
  }),
  sector('veterans', 'Veterans', {
    description: 'Health care, benefits and services for veterans.',
    agencies: ['VA'],
    terms: ['veteran', 'veterans'],
    notWithin: ['Veterans Day'],
  }),
  sector('wildlife-and-public-lands', 'Wildlife and public lands', {
    description: 'Endangered species, hunting, parks, forests, public lands.',
    agencies: ['BLM', 'DOI', 'FS', 'FWS', 'NPS', 'USBR', 'USGS'],
    terms: phrases(`
      critical habitat, endangered and threatened, endangered species, marine sanctuary,
      migratory bird, migratory birds, national forest, national monument, national park,
      national parks, paleontological, public lands, subsistence management, wild horses,
      wildlife
    `),
    hints: ['hunting'],
  }),
  {
    key: 'other',
    label: 'Other',
    description: 'No sector above: the workings of government itself, and whatever is unclear.',
    fallback: true,
    lexicon: {},
  },
]
