import type { ReportContent, ReportDraft } from '@almanac/documents'
import {
  variantStrategies,
  type RunPackage,
  type VariantBrief,
  type VariantStrategy,
} from '@almanac/domain'
import { shortenReport } from './brevity.ts'
import { closeCoverageGaps } from './coverage-gaps.ts'
import { deepenEvidence } from './evidence-depth.ts'
import { folded, materialOf, type Improve } from './material.ts'
import { restructureReport } from './restructure.ts'
import type { DraftItem } from '../section.ts'

const improvements: Record<VariantStrategy, Improve> = {
  'coverage-gaps': closeCoverageGaps,
  brevity: shortenReport,
  'evidence-depth': deepenEvidence,
  restructure: restructureReport,
}

const strategyNamed = (name: string): Improve => {
  const own = variantStrategies.find((strategy) => strategy === name)
  return own === undefined ? improveAll : improvements[own]
}

/** For the strategy of a plugin, which says in words what to do: everything that this engine can. */
const improveAll: Improve = (material) => {
  // Paths of the brief point into the report as it was: who follows them comes first.
  const report = deepenEvidence(material)
  const others = [closeCoverageGaps, restructureReport, shortenReport]
  return others.reduce(
    (report, improve) => improve({ ...material, report, faults: new Map() }),
    report,
  )
}

/**
 * A variant of a report, made without a model: what the brief's strategy does about the findings and
 * checks that it names. Everything else stays as it is. Pure, as the composer is.
 */
export function improveReport(
  runPackage: RunPackage,
  report: ReportContent,
  brief: VariantBrief,
): ReportDraft {
  const material = materialOf(runPackage, report, brief)
  return withoutNewRepeats(material.report, strategyNamed(brief.strategy)(material))
}

/** Drops the statements that a strategy has made, by correcting or adding, of what is said already. */
function withoutNewRepeats(before: ReportDraft, after: ReportDraft): ReportDraft {
  const old = Map.groupBy(before.sections, ({ deliverable }) => deliverable)
  return {
    summary: freshOnce(before.summary, after.summary, ({ text }) => folded(text)),
    sections: after.sections.map((section) => {
      const items = (old.get(section.deliverable) ?? []).flatMap((one) => one.items)
      const said = ({ kind, text }: DraftItem) => `${kind} ${folded(text)}`
      return { ...section, items: freshOnce(items, section.items, said) }
    }),
  }
}

/** What stood there before, as often as it did, and of the rest what nobody else says. */
function freshOnce<S>(before: readonly S[], after: readonly S[], saidBy: (one: S) => string): S[] {
  const old = Map.groupBy(before, (one) => JSON.stringify(one))
  const isOld = after.map((one) => old.get(JSON.stringify(one))?.pop() !== undefined)
  const said = new Set(after.filter((_, i) => isOld[i]).map(saidBy))
  return after.filter((one, i) => {
    if (isOld[i]) return true
    return !said.has(saidBy(one)) && Boolean(said.add(saidBy(one)))
  })
}
