import type { FieldMapping } from './api/evidence.ts'
import { AlmanacError } from './errors.ts'
import { evidenceItem, type EvidenceItem } from './evidence.ts'
import { parse } from './parse.ts'
import { isStorable } from './plain-text.ts'

/** The longest line that an import reads, in characters. */
export const maxEvidenceLine = 1_048_576

/**
 * Reads one line of an import (a JSON object) by its source's mapping.
 * Throws INPUT_INVALID with every problem of the line, its fields named as the source names them.
 */
export function readEvidenceLine(line: string, mapping: FieldMapping): EvidenceItem {
  if (line.length > maxEvidenceLine)
    throw refuse('line', `must have at most ${maxEvidenceLine} characters`)
  if (!isStorable(line)) throw refuse('line', 'must be well-formed Unicode text')
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch {
    throw refuse('line', 'must be one JSON object')
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw refuse('line', 'must be one JSON object')
  const fields = value as Record<string, unknown>
  const found = (name: string): unknown => (Object.hasOwn(fields, name) ? fields[name] : undefined)
  return parse(evidenceItem, {
    itemId: identity(found(mapping.itemId)),
    publishedAt: instant(found(mapping.publishedAt)),
    title: storable(found(mapping.title)),
    text: storable(found(mapping.text)) ?? '',
    url: found(mapping.url) ?? undefined,
    attributes: attributesOf(fields, mapping),
    withdrawn: [true, 'true', 'True', 1].includes(found(mapping.withdrawn) as never),
  })
}

const refuse = (field: string, message: string) =>
  new AlmanacError('INPUT_INVALID', { issues: [{ field, message }] })

const identity = (value: unknown): unknown =>
  typeof value === 'number' ? String(value) : storable(value)

/** A JSON escape can carry what a line's own characters may not: NUL and lone surrogates become U+FFFD. */
const storable = (value: unknown): unknown =>
  typeof value === 'string'
    ? value.toWellFormed().replaceAll('\u0000', '\ufffd')
    : (value ?? undefined)

/** A day alone means its first instant in UTC. */
const instant = (value: unknown): unknown =>
  typeof value === 'string' && /^\d{4}-\d{2}-\d{2}$/.test(value) ? `${value}T00:00:00Z` : value

const attributeName = /^[A-Za-z][A-Za-z0-9_]{0,47}$/

function attributesOf(
  fields: Record<string, unknown>,
  mapping: FieldMapping,
): Record<string, unknown> {
  const { attributes: kept, ...named } = mapping
  const taken = new Set<string>(Object.values(named))
  const wanted = kept === '*' ? Object.keys(fields) : kept
  const entries = wanted
    .filter((name) => attributeName.test(name) && !taken.has(name) && Object.hasOwn(fields, name))
    .map((name) => [name, fields[name]] as const)
    .filter(([, value]) => ['string', 'number', 'boolean'].includes(typeof value))
    .map(([name, value]) => [name, storable(String(value))] as const)
    .filter(([, value]) => value !== '')
  return Object.fromEntries(entries)
}
