import type { PackageEvidence } from '@almanac/domain'
import { dayOf, type Day } from './calendar-date.ts'
import { quotable } from './quotation.ts'

/**
 * What kind of publication an item is, as far as its attributes and the end of its title say; `report`
 * is one without a type. Only words of this table are ever written in the report's own voice.
 */
export const forms = {
  final: ['a final rule', 'final rules'],
  proposed: ['a proposed rule', 'proposed rules'],
  notice: ['a notice', 'notices'],
  correction: ['a correction', 'corrections'],
  withdrawal: ['a withdrawal', 'withdrawals'],
  document: ['a document', 'documents'],
  report: ['a report', 'reports'],
} as const
export type Form = keyof typeof forms

/** An evidence item as the composer reads it: plain text, and only what it can rely on. */
export interface Reading {
  evidence: PackageEvidence
  /** The title on one line of plain text. */
  title: string
  /** The title's letters and digits: equal for titles that differ in punctuation or case alone. */
  titleKey: string
  /** The title's clauses, as colons and semicolons part them, without these marks. */
  clauses: string[]
  /** Who published it, when that is a name and not a sentence. */
  publisher: string | undefined
  form: Form
  docket: string | undefined
  /** The last day for comments, in the specification's zone. */
  closes: Day | undefined
}

const documentTypes: Record<string, Form> = {
  rule: 'final',
  'final rule': 'final',
  'proposed rule': 'proposed',
  notice: 'notice',
}

const closingClause =
  /(?:^|[;:,]\s*)(?:technical )?(correction|correcting amendment|withdrawal)s?\.?$/i

/** Reads an item; dates are taken in `timeZone`. Pure and total. */
export function readEvidence(evidence: PackageEvidence, timeZone: string): Reading {
  const title = quotable(evidence.title) || '(untitled)'
  const { agency, publisher, docket, commentEndDate } = evidence.attributes
  return {
    evidence,
    title,
    titleKey: title.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, '') || title,
    clauses: title.split(/[:;]\s+/),
    publisher: nameFrom(agency) ?? nameFrom(publisher),
    form: formOf(evidence, title),
    docket: docketFrom(docket),
    closes: commentEndDate === undefined ? undefined : dayOf(commentEndDate.trim(), timeZone),
  }
}

function formOf({ attributes, withdrawn }: PackageEvidence, title: string): Form {
  if (attributes.documentType === undefined) return 'report'
  const type = documentTypes[attributes.documentType.trim().toLowerCase()] ?? 'document'
  if (withdrawn) return type
  const noun = closingClause.exec(title)?.[1]?.toLowerCase()
  if (noun === undefined) return type
  return noun === 'withdrawal' ? 'withdrawal' : 'correction'
}

/** A publisher is named in the report's own voice, so it must be a name: short, plain, no sentence. */
function nameFrom(value = ''): string | undefined {
  const name = value.trim()
  const isName =
    name.length <= 60 &&
    name === quotable(value) &&
    name.split(' ').length <= 8 &&
    /^[\p{L}\p{N}][^"“”<>{}[\]|:;!?]*$/u.test(name)
  return isName && !/[.,] \p{Ll}/u.test(name) ? name : undefined
}

/** A docket's number; none for the collective dockets of documents that have no docket of their own. */
function docketFrom(value: string | undefined): string | undefined {
  const docket = value?.trim() ?? ''
  return /^(?=.*\d)[A-Za-z0-9][\w.-]{2,59}$/.test(docket) && !/_FRDOC_/.test(docket)
    ? docket
    : undefined
}
