/**
 * The vocabulary of cadence: what a specification says about its periods. Browsers load this file,
 * so it does no time arithmetic and imports no Temporal; that is `@almanac/domain/cadence`.
 */
import { z } from 'zod'

/** How often a specification makes a document, fastest first; `on_demand` has no periods. */
export const cadences = ['daily', 'weekly', 'monthly', 'on_demand'] as const
export type Cadence = (typeof cadences)[number]
/** A cadence that divides time into periods, each with a key. */
export type PeriodicCadence = Exclude<Cadence, 'on_demand'>

/** `closed`: a document covers a calendar period that is over; `rolling`: the days before it is made. */
export const coverages = ['closed', 'rolling'] as const
export type Coverage = (typeof coverages)[number]

const oneOf = ({ values }: { values?: unknown[] }): string =>
  `must be ${values?.join(', ').replace(/, (?=\w+$)/, ' or ')}`

export const cadence = z.enum(cadences, { error: (issue) => oneOf(issue) })
export const coverage = z.enum(coverages, { error: (issue) => oneOf(issue) })

/** An IANA time zone, kept as it is spelled: links such as Asia/Calcutta are not resolved. */
export const timeZone = z
  .string({ error: 'must be an IANA time zone such as America/New_York, or UTC' })
  .refine(isTimeZone, {
    error:
      'must be an IANA time zone such as America/New_York, or UTC; an offset such as +02:00 is none',
  })

/** Whether `cadence` has periods, keys and slots. */
export function isPeriodic(cadence: Cadence): cadence is PeriodicCadence {
  return cadence !== 'on_demand'
}

/**
 * Whether cadence `a` makes documents more often than `b`, in the order daily, weekly, monthly,
 * on_demand. On-demand runs have a quota of their own: `on_demand` is faster than nothing, so that
 * it is allowed with every "fastest cadence" of an entitlement.
 */
export function isFasterThan(a: Cadence, b: Cadence): boolean {
  return cadences.indexOf(a) < cadences.indexOf(b)
}

// Engines also take these abbreviations, which are no IANA zones; IST alone means three places.
const abbreviations =
  /^(ACT|AET|AGT|ART|AST|BET|BST|CAT|CNT|CST|CTT|EAT|ECT|IET|IST|JST|MIT|NET|NST|PLT|PNT|PRT|PST|SST|VST)$/i

/** Names that Intl knows; few, and asking it again costs a tenth of a millisecond. */
const knownZones = new Set<string>()

function isTimeZone(name: string): boolean {
  if (knownZones.has(name)) return true
  // A zone begins with a letter. Intl takes offsets too, but an offset never changes its clocks.
  if (!/^[A-Za-z][\w+/-]{0,63}$/.test(name) || abbreviations.test(name)) return false
  try {
    new Intl.DateTimeFormat('en', { timeZone: name })
    knownZones.add(name)
    return true
  } catch {
    return false
  }
}
