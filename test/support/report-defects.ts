import type { ReportDraft } from '@almanac/documents'

type Section = ReportDraft['sections'][number]
type Item = Section['items'][number]

/** Numbers from 0 up to 1 that follow from the seed alone (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

type Defect = (report: ReportDraft, random: () => number, scope: DefectScope) => ReportDraft

interface DefectScope {
  regions: readonly string[]
  links: readonly string[]
}

const changeItems = (
  report: ReportDraft,
  change: (item: Item, section: Section) => Item[],
): ReportDraft => ({
  ...report,
  sections: report.sections.map((section) => ({
    ...section,
    items: section.items.flatMap((item) => change(item, section)),
  })),
})

/** The section with the most items. */
const fullest = ({ sections }: ReportDraft): Section | undefined =>
  [...sections].sort((a, b) => b.items.length - a.items.length)[0]

const ofWhich = (share: number, random: () => number) => () => random() < share

/** What goes wrong with reports, each defect by itself. */
export const defects = {
  droppedItems: (report, random) => {
    const target = fullest(report)
    const goes = ofWhich(0.6, random)
    return changeItems(report, (item, section) => (section === target && goes() ? [] : [item]))
  },
  droppedSection: (report) => {
    const target = fullest(report)
    return { ...report, sections: report.sections.filter((section) => section !== target) }
  },
  silencedSection: (report) => {
    const target = fullest(report)
    const silent = (section: Section) => ({ ...section, quiet: true, items: [] })
    const sections = report.sections.map((one) => (one === target ? silent(one) : one))
    return { ...report, sections }
  },
  inventedCitation: (report, random) => {
    const goes = ofWhich(0.5, random)
    return changeItems(report, (item) =>
      goes() ? [{ ...item, evidence: item.evidence.map((id) => `${id}-invented`) }] : [item],
    )
  },
  wrongCell: (report, random, { regions, links }) => {
    const goes = ofWhich(0.5, random)
    const another = (keys: readonly string[], key: string) => {
      const others = keys.filter((one) => one !== key)
      return others[Math.floor(random() * others.length)] ?? key
    }
    return changeItems(report, (item) =>
      goes()
        ? [{ ...item, region: another(regions, item.region), link: another(links, item.link) }]
        : [item],
    )
  },
  inventedNumber: (report, random) => {
    const goes = ofWhich(0.5, random)
    const number = 40_000 + Math.floor(random() * 9_000)
    return changeItems(report, (item) =>
      goes() ? [{ ...item, kind: 'fact', text: `${item.text} It binds ${number} firms.` }] : [item],
    )
  },
  overLongText: (report, random) => {
    const goes = ofWhich(0.5, random)
    const padding = ' This is a matter that those concerned will want to follow with care.'.repeat(
      9,
    )
    return changeItems(report, (item) =>
      goes() ? [{ ...item, text: `${item.text}${padding}` }] : [item],
    )
  },
  duplicatedItems: (report, random) => {
    const goes = ofWhich(0.6, random)
    return changeItems(report, (item) => (goes() ? [item, { ...item }] : [item]))
  },
  missingSummary: (report) => ({ ...report, summary: [] }),
  uncitedSummary: (report) => ({
    ...report,
    summary: report.summary.map((line) => ({ ...line, evidence: [] })),
  }),
} satisfies Record<string, Defect>

export type DefectName = keyof typeof defects

/** A report with the named defects, one after another, where chance says. */
export const withDefects = (
  report: ReportDraft,
  names: readonly DefectName[],
  random: () => number,
  scope: DefectScope,
): ReportDraft =>
  names.reduce<ReportDraft>((faulty, name) => defects[name](faulty, random, scope), report)
