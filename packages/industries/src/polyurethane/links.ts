import type { CatalogueEntry } from '@almanac/domain'
import { phrases } from '../phrases.ts'

interface Link {
  description: string
  within?: string
  terms: string[]
  hints?: string[]
  notWithin?: string[]
}

const link = (
  key: string,
  label: string,
  { description, within = 'polyurethanes', terms, hints, notWithin }: Link,
): CatalogueEntry => ({
  key,
  label,
  description,
  within,
  lexicon: {
    terms,
    ...(hints && { titleHints: hints }),
    ...(notWithin && { notWithin }),
  },
})

const materials: CatalogueEntry[] = [
  link('feedstocks', 'Feedstocks', {
    description:
      'Benzene, aniline, toluene, propylene oxide, chlorine and what else goes in first.',
    terms: phrases(`
      adipic acid, aniline, benzene, caustic soda, chlor alkali, chlorine, dinitrotoluene,
      ethylene oxide, nitric acid, nitrobenzene, phosgene, propylene, propylene glycol,
      propylene oxide, toluene, toluenediamine
    `),
    notWithin: ['toluene diisocyanate'],
  }),
  link('isocyanates', 'Isocyanates', {
    description: 'MDI, TDI, aliphatic and other isocyanates.',
    terms: ['diisocyanate', 'diisocyanates', 'isocyanate', 'isocyanates', 'polyisocyanate'],
    notWithin: ['non isocyanate', 'isocyanate free'],
  }),
  link('mdi', 'MDI', {
    description: 'Methylene diphenyl diisocyanate, pure and polymeric.',
    within: 'isocyanates',
    terms: ['MDI', 'PMDI', 'methylene diphenyl diisocyanate', 'polymeric MDI'],
    notWithin: ['MDI inhaler', 'MDI inhalers'],
  }),
  link('tdi', 'TDI', {
    description: 'Toluene diisocyanate.',
    within: 'isocyanates',
    terms: ['TDI', 'tolylene diisocyanate', 'toluene diisocyanate'],
    notWithin: ['TDI diesel', 'TDI engine', 'TDI engines'],
  }),
  link('aliphatic-isocyanates', 'Aliphatic isocyanates', {
    description: 'HDI, IPDI, H12MDI, PDI and their derivatives.',
    within: 'isocyanates',
    terms: phrases(`
      aliphatic isocyanate, aliphatic isocyanates, H12MDI, HDI, HDI trimer, hexamethylene
      diisocyanate, IPDI, isophorone diisocyanate, pentamethylene diisocyanate
    `),
  }),
  link('polyols', 'Polyols', {
    description: 'Polyether, polyester, polycarbonate and natural-oil polyols.',
    terms: phrases(`
      natural oil polyol, polycarbonate diol, polycarbonate diols, polyester polyol,
      polyester polyols, polyether polyol, polyether polyols, polyol, polyols,
      polytetramethylene ether glycol, PTMEG
    `),
  }),
  link('additives-and-catalysts', 'Additives and catalysts', {
    description:
      'Amine and metal catalysts, silicone surfactants, flame retardants, chain extenders.',
    terms: phrases(`
      amine catalyst, amine catalysts, chain extender, chain extenders, flame retardant,
      flame retardants, foam stabiliser, foam stabilizer, polyurethane additives, silicone
      surfactant, silicone surfactants, tin catalyst, tin catalysts
    `),
    hints: ['additive', 'additives', 'catalyst', 'catalysts'],
    notWithin: ['additive manufacturing', 'food additive', 'food additives'],
  }),
  link('blowing-agents', 'Blowing agents', {
    description: 'HFO, HFC, hydrocarbons, methylal and water as blowing agents.',
    terms: phrases(`
      blowing agent, blowing agents, cyclopentane, HCFC 141b, HFC 245fa, HFC 365mfc, HFO,
      HFO 1233zd, hydrofluoroolefin, hydrofluoroolefins, methylal, pentane
    `),
  }),
  link('systems-houses', 'Systems houses', {
    description: 'Makers of ready-mixed polyurethane systems, and their machines.',
    terms: phrases(`
      foaming equipment, foaming machine, formulated systems, metering machine,
      polyurethane machinery, polyurethane system, polyurethane systems, prepolymer,
      prepolymers, PU systems, system house, systems house, systems houses
    `),
  }),
]

const products: CatalogueEntry[] = [
  link('flexible-foam', 'Flexible foam', {
    description: 'Slabstock, moulded and viscoelastic foam.',
    terms: phrases(`
      flexible foam, flexible foams, flexible polyurethane foam, foam carpet underlay,
      memory foam, molded foam, moulded foam, slabstock, viscoelastic foam
    `),
  }),
  link('rigid-foam', 'Rigid foam', {
    description: 'Insulation foam: PIR and PUR boards, panels, spray foam.',
    terms: phrases(`
      insulation board, insulation boards, insulation foam, one component foam, PIR board,
      PIR boards, PIR insulation, polyisocyanurate, polyiso, rigid foam, rigid foams,
      rigid polyurethane foam, sandwich panel, sandwich panels, spray foam, spray
      polyurethane foam
    `),
  }),
  link('case', 'Coatings, adhesives, sealants, elastomers', {
    description: 'CASE: coatings, adhesives, sealants, binders and cast elastomers.',
    terms: phrases(`
      cast elastomer, cast elastomers, coating resins, polyurea, polyurethane adhesive,
      polyurethane adhesives, polyurethane coating, polyurethane coatings, polyurethane
      dispersion, polyurethane dispersions, polyurethane elastomer, polyurethane
      elastomers, polyurethane sealant, polyurethane sealants, wood binder, wood binders
    `),
    hints: phrases(`
      adhesive, adhesives, binder, binders, coating, coatings, elastomer, elastomers,
      sealant, sealants
    `),
  }),
  link('tpu', 'TPU', {
    description: 'Thermoplastic polyurethane.',
    terms: phrases(`
      ETPU, thermoplastic polyurethane, thermoplastic polyurethanes, TPU, TPU film, TPU
      films
    `),
  }),
  link('fibres-and-synthetic-leather', 'Fibres and synthetic leather', {
    description: 'Elastane, spandex and polyurethane leather.',
    terms: phrases(`
      artificial leather, elastane, faux leather, polyurethane leather, PU leather,
      spandex, synthetic leather, vegan leather
    `),
  }),
]

const uses: CatalogueEntry[] = [
  link('automotive', 'Automotive', {
    description: 'Seats, interiors, acoustics, coatings and battery parts of vehicles.',
    terms: phrases(`
      automaker, automakers, automotive, car interior, car interiors, car seat, car seats,
      carmaker, carmakers, EV battery, electric vehicle, electric vehicles, instrument
      panel, instrument panels, OEM seating, vehicle interior, vehicle interiors
    `),
  }),
  link('construction', 'Construction', {
    description: 'Insulation and other polyurethanes in buildings.',
    terms: phrases(`
      building and construction, building envelope, building insulation, construction
      industry, construction sector, energy renovation, roof insulation, roofing, thermal
      insulation, wall insulation
    `),
    hints: ['building', 'buildings', 'construction', 'insulation'],
    notWithin: ['plant construction', 'construction of a plant', 'building a plant'],
  }),
  link('furniture-and-bedding', 'Furniture and bedding', {
    description: 'Mattresses, upholstery, bedding.',
    terms: phrases(`
      bedding, comfort foam, furniture, mattress, mattresses, pillow, pillows, sofa,
      sofas, upholstered, upholstery
    `),
  }),
  link('appliances', 'Appliances and cold chain', {
    description: 'Refrigerators, freezers, water heaters, refrigerated transport.',
    terms: phrases(`
      appliance, appliances, cold chain, cold storage, freezer, freezers, refrigerated
      transport, refrigeration, refrigerator, refrigerators, water heater, water heaters
    `),
  }),
  link('footwear', 'Footwear', {
    description: 'Soles, midsoles and uppers of shoes.',
    terms: phrases(`
      footwear, insole, insoles, midsole, midsoles, outsole, outsoles, shoe, shoe sole,
      shoe soles, shoes, sneaker, sneakers
    `),
  }),
]

/** The supply chain in its order; everything lies within `polyurethanes`, the chain as a whole. */
export const links: CatalogueEntry[] = [
  {
    key: 'polyurethanes',
    label: 'Polyurethanes, whole chain',
    description: 'Every link below, and polyurethanes in general.',
    lexicon: {
      terms: ['polyurethane', 'polyurethanes', 'PU foam', 'PUR foam', 'urethane', 'urethanes'],
    },
  },
  ...materials,
  ...products,
  ...uses,
]
