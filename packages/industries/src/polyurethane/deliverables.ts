import type { CatalogueEntry } from '@almanac/domain'
import { phrases } from '../phrases.ts'

/**
 * What a reader orders. `terms` mean the deliverable wherever they stand; words that every trade
 * text uses (`demand`, `launch`) are `titleHints`: they place an item by its title only.
 */
export const deliverables: CatalogueEntry[] = [
  {
    key: 'capacity-and-plants',
    label: 'Capacity and plants',
    description: 'New, expanded, idled and closed plants; outages, turnarounds, force majeure.',
    lexicon: {
      terms: phrases(`
        capacity addition, capacity additions, capacity cut, capacity cuts, capacity
        expansion, capacity expansions, capacity increase, commercial production,
        debottlenecking, expand capacity, expands capacity, force majeure, greenfield,
        ktpa, kt a, mechanical completion, metric tons per year, mothballed, nameplate
        capacity, new plant, new production line, new production site, on stream,
        operating rate, operating rates, plant closure, plant shutdown, plant start up,
        production capacity, production halt, production site, production stop,
        production unit, tonnes a year, tonnes per annum, tonnes per year, tons per
        year, turnaround, turnarounds, unplanned outage, utilisation rate, utilization
        rate, world scale plant
      `),
      titleHints: phrases(`
        capacities, capacity, closes, closure, commissioning, commissions, expands,
        expansion, idles, maintenance, outage, plant, plants, restart, restarts,
        shutdown, shuts, start up
      `),
      notWithin: ['plant based', 'plant oil', 'start up company'],
    },
  },
  {
    key: 'prices-and-feedstocks',
    label: 'Prices and feedstocks',
    description: 'Contract and spot prices, margins, costs of feedstocks and energy.',
    lexicon: {
      terms: phrases(`
        contract price, contract prices, cost increase, cost pressure, energy costs,
        energy surcharge, feedstock cost, feedstock costs, feedstock price, feedstock
        prices, freight rates, list price, list prices, price decrease, price hike,
        price hikes, price increase, price increases, price quotation, price rise,
        prices fell, prices rose, raw material cost, raw material costs, raw material
        prices, spot market, spot price, spot prices, spread over benzene, supply
        tightness
      `),
      titleHints: phrases(`
        costs, feedstock, feedstocks, margin, margins, price, prices, pricing, raw
        material, raw materials, surcharge
      `),
    },
  },
  {
    key: 'demand-and-markets',
    label: 'Demand and markets',
    description: 'Consumption, order books and the markets that polyurethanes are sold to.',
    lexicon: {
      terms: phrases(`
        apparent consumption, construction activity, destocking, downstream demand, end
        use demand, housing starts, market growth, market outlook, market share, order
        backlog, order books, restocking, sales volumes, seasonal demand, vehicle
        production, weak demand
      `),
      titleHints: ['consumption', 'demand', 'market', 'markets', 'orders', 'outlook', 'volumes'],
      notWithin: ['market surveillance', 'spot market'],
    },
  },
  {
    key: 'trade-and-tariffs',
    label: 'Trade and tariffs',
    description: 'Imports, exports, duties, trade remedies, sanctions.',
    lexicon: {
      terms: phrases(`
        anti dumping, antidumping, circumvention inquiry, countervailing, customs data,
        customs duties, customs duty, dumping margin, export ban, export controls,
        export licence, export licences, export license, export licenses, export
        volumes, free trade agreement, import duties, import duty, import volumes, most
        favoured nation, quota system, safeguard measures, section 232, section 301,
        tariff, tariffs, trade defence, trade remedies, trade remedy, trade war
      `),
      titleHints: phrases(`
        customs, dumping, duties, duty, export, exports, import, imports, sanctions,
        trade
      `),
      notWithin: ['heavy duty', 'light duty', 'trade fair', 'trade show', 'trade union'],
    },
  },
  {
    key: 'regulation-and-safety',
    label: 'Regulation and safety',
    description: 'Chemical law, exposure limits, fire safety, incidents, recalls.',
    lexicon: {
      terms: phrases(`
        candidate list, chemical accident, diisocyanate restriction, diisocyanates
        restriction, echa, emission limits, environmental protection agency, explosion,
        exposure limit, exposure limits, f gas, f gases, fire safety, flammability, hfc
        phase down, isocyanate exposure, kigali amendment, montreal protocol,
        occupational exposure, occupational safety, osha, plant fire, product recall,
        reach annex, reach authorisation, reach regulation, reach restriction, eu reach,
        uk reach, safety training, substance of very high concern, svhc, toxic release,
        toxic substances control act, tsca, voc limits, worker safety
      `),
      titleHints: phrases(`
        accident, approval, ban, bans, directive, fine, fire, incident, law, leak,
        recall, recalls, regulation, regulations, regulator, restriction, rule, rules,
        safety, standard, standards
      `),
      notWithin: ['export ban'],
    },
  },
  {
    key: 'technology-and-applications',
    label: 'Technology and applications',
    description: 'New products, processes and uses; research and patents.',
    lexicon: {
      terms: phrases(`
        3d printing, additive manufacturing, gas phase phosgenation, new application,
        new applications, new formulation, new grade, new grades, new process, nipu, non
        isocyanate, patent, patents, pilot plant, product launch, proof of concept,
        prototype, research project, spray application
      `),
      titleHints: phrases(`
        application, applications, develops, formulation, innovation, innovative,
        introduces, launch, launches, research, researchers, technologies, technology,
        unveils
      `),
    },
  },
  {
    key: 'companies-and-deals',
    label: 'Companies and deals',
    description: 'Acquisitions, ventures, results, restructuring, people at the top.',
    lexicon: {
      terms: phrases(`
        antitrust clearance, asset sale, bankruptcy, chapter 11, chief executive,
        divestiture, divestment, ebitda, hostile bid, insolvency, job cuts, joint
        venture, letter of intent, majority stake, memorandum of understanding, merger,
        minority stake, net income, operating profit, profit warning, public offering,
        quarterly results, share purchase agreement, spin off, supply agreement,
        takeover
      `),
      titleHints: phrases(`
        acquire, acquires, acquisition, agreement, appoints, buys, ceo, deal, divests,
        earnings, invests, investment, layoffs, loss, merge, partnership, profit,
        results, restructuring, sells, stake
      `),
      notWithin: ['free trade agreement', 'test results', 'weight loss', 'heat loss'],
    },
  },
  {
    key: 'sustainability-and-recycling',
    label: 'Sustainability and recycling',
    description: 'Recycling, renewable and CO₂-based raw materials, footprints, circularity.',
    lexicon: {
      terms: phrases(`
        acidolysis, bio attributed, bio based, biobased, biomass balance, carbon
        capture, carbon footprint, carbon neutral, chemical recycling, chemolysis,
        circular economy, circularity, climate neutral, co2 based, decarbonisation,
        decarbonization, depolymerisation, depolymerization, end of life, extended
        producer responsibility, foam recycling, glycolysis, iscc plus, life cycle
        assessment, mass balance, mattress recycling, net zero, post consumer, product
        carbon footprint, recycled content, recycled polyol, recycled polyols, renewable
        energy, renewable raw materials, scope 3
      `),
      titleHints: phrases(`
        biodegradable, circular, green, recycle, recycled, recycles, recycling,
        renewable, sustainability, sustainable, waste
      `),
    },
  },
]
