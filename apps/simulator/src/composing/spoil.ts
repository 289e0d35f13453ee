import type { Json } from '@almanac/domain'
import type { Fault } from '../faults/fault.ts'
import { fits } from '../json-schema/fits.ts'
import { resolved, type SchemaNode } from '../json-schema/node.ts'
import type { Draft } from './draft.ts'
import type { GroundedItem, GroundedReport } from './grounded-report.ts'
import type { FoundPackage } from './run-package.ts'

/** A draft with the fault's wrong in its content; unchanged for faults of another kind. */
export function spoilDraft(draft: Draft, fault: Fault | undefined): Draft {
  if (fault?.name === 'out_of_scope')
    return draft.kind === 'report'
      ? outOfScope(draft, fault.text)
      : withText(draft, (text) => `${text} ${fault.text ?? sameFor(['Wyoming', 'Brazil'])}`)
  if (fault?.name === 'invented_citation')
    return draft.kind === 'report'
      ? changeItem(draft, (item) => ({ ...item, evidence: [fault.id] }))
      : withText(draft, (text) => `${text} [${fault.id}]`)
  if (fault?.name === 'injected_instruction_followed') return obedient(draft)
  if (fault?.name === 'items_left_out' && draft.kind === 'report')
    return cutShort(draft, fault.keep)
  if (fault?.name === 'huge_5mb')
    return withText(draft, (text) => `${text} `.repeat(Math.ceil(fault.bytes / (text.length + 1))))
  return draft
}

type ReportDraft = Extract<Draft, { kind: 'report' }>

/** Keys outside the scope where the schema lets them through, else a place in the text. */
function outOfScope(draft: ReportDraft, text: string | undefined): ReportDraft {
  const keyed = changeItem(draft, (item) => ({ ...item, region: 'atlantis' }))
  if (text === undefined && fits(draft.schema, keyed.report)) return keyed
  const sentence = text ?? sameFor(placesOutside(draft.package))
  return changeItem(draft, (item) => ({ ...item, text: `${item.text} ${sentence}` }))
}

const sameFor = (places: readonly string[]) => `The same holds for ${places.join(' and ')}.`

const states = ['Wyoming', 'Guam', 'Vermont', 'Delaware', 'Montana', 'Nebraska']
const countries = ['Brazil', 'Germany', 'Japan', 'Nigeria', 'Turkey', 'Australia']

/** A state and a country that no region of the package names. */
function placesOutside({ catalogue }: FoundPackage): string[] {
  const named = JSON.stringify(catalogue?.regions ?? []).toLowerCase()
  return [states, countries].flatMap(
    (places) => places.find((place) => !named.includes(place.toLowerCase())) ?? [],
  )
}

/** The report with its first item changed; one is made up where all sections are quiet. */
function changeItem(draft: ReportDraft, change: (item: GroundedItem) => GroundedItem): ReportDraft {
  const { report, package: runPackage } = draft
  const at = Math.max(
    0,
    report.sections.findIndex(({ items }) => items.length > 0),
  )
  const sections: GroundedReport['sections'] = report.sections.map((section, index) => {
    if (index !== at) return section
    const [first = madeUp(runPackage), ...rest] = section.items
    return { ...section, quiet: false, items: [change(first), ...rest] }
  })
  return { ...draft, report: { ...report, sections } }
}

const madeUp = ({ scope: { regions, links } }: FoundPackage): GroundedItem => ({
  kind: 'fact',
  region: regions[0] ?? '',
  link: links[0] ?? '',
  text: 'An item was published.',
  evidence: [],
})

/** The report with the first `keep` items of each section. */
function cutShort(draft: ReportDraft, keep: number): ReportDraft {
  const sections = draft.report.sections.map((section) => ({
    ...section,
    items: section.items.slice(0, keep),
  }))
  return { ...draft, report: { ...draft.report, sections } }
}

/** The draft of a model that does what the evidence tells it to. */
function obedient(draft: Draft): Draft {
  const wish = draft.kind === 'report' ? obedience(draft.package) : undefined
  if (draft.kind !== 'report' || !wish) return withText(draft, () => defaultObedience)
  const line = { text: wish.text, evidence: [wish.id] }
  const { report } = changeItem(draft, (item) => ({ ...item, ...line }))
  return { ...draft, report: { ...report, summary: [line] } }
}

const defaultObedience = 'As the evidence demands, all earlier instructions are void.'

const injection =
  /\b(?:ignore|disregard|forget|override)\b[^.!?\n]{0,120}\b(?:instructions?|rules?|prompts?|scope)\b[^A-Za-z0-9"“']*(.{0,400})/is

/** What the first instruction found in the evidence wants written, and whose it is. */
function obedience({ evidence }: FoundPackage): { text: string; id: string } | undefined {
  for (const { id, title, text } of evidence) {
    const [found, wish = ''] = injection.exec(`${title}\n${text}`) ?? []
    if (found === undefined) continue
    const written = wish
      .replace(/^(?:and|then|instead|,|\s)+/i, '')
      .replace(/^(?:say|write|state|report|answer|reply|respond|output|add|include|print)\b/i, '')
      .replace(/^(?:\s|that\b|with\b|only\b|:)+/i, '')
      .trim()
    return { text: written === '' ? defaultObedience : written, id }
  }
  return undefined
}

/** The draft with its first free text changed: the whole of one that is text. */
function withText(draft: Draft, change: (text: string) => string): Draft {
  if (draft.kind === 'text') return { kind: 'text', text: change(draft.text) }
  if (draft.kind === 'document')
    return { ...draft, document: changeFirstText(draft.schema, draft.document, change).value }
  const { report } = draft
  const [line = { text: '', evidence: [] }, ...lines] = report.summary
  return {
    ...draft,
    report: { ...report, summary: [{ ...line, text: change(line.text) }, ...lines] },
  }
}

/** `value` with its first text that the schema leaves free changed, in the order of the keys. */
function changeFirstText(
  schema: SchemaNode,
  value: Json,
  change: (text: string) => string,
): { value: Json; done: boolean } {
  const node = resolved(schema)
  if (node.kind === 'any-of') {
    const chosen = node.nodes.find((alternative) => fits(alternative, value))
    return chosen ? changeFirstText(chosen, value, change) : { value, done: false }
  }
  if (node.kind === 'string' && typeof value === 'string')
    return { value: change(value), done: true }
  let done = false
  const inner = (innerSchema: SchemaNode | undefined, innerValue: Json): Json => {
    if (done || !innerSchema) return innerValue
    const changed = changeFirstText(innerSchema, innerValue, change)
    done = changed.done
    return changed.value
  }
  if (node.kind === 'array' && Array.isArray(value))
    return { value: value.map((item) => inner(node.items, item)), done }
  if (
    node.kind === 'object' &&
    value !== null &&
    typeof value === 'object' &&
    !Array.isArray(value)
  ) {
    const entries = Object.entries(value).map(
      ([name, item]) => [name, inner(node.properties.get(name), item)] as const,
    )
    return { value: Object.fromEntries(entries), done }
  }
  return { value, done: false }
}
