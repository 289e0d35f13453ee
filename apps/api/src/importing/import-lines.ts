import {
  isAlmanacError,
  readEvidenceLine,
  type EvidenceItem,
  type FieldMapping,
  type ImportResult,
} from '@almanac/domain'
import type { NumberedLine } from './ndjson-lines.ts'

const batchItems = 500
/** Characters of text that one batch holds at most, so that long items do not fill the memory. */
const batchCharacters = 4_000_000
const mostProblems = 100

/** Stores a batch and says what became of its items. */
export type StoreBatch = (
  items: readonly EvidenceItem[],
) => Promise<{ new: number; changed: number; unchanged: number }>

/**
 * Imports lines in batches: the next one is read while the one before is stored, and reading waits
 * when storing is slower. Good lines are kept whatever the others are.
 */
export async function importLines(
  source: string,
  lines: AsyncIterable<NumberedLine>,
  mapping: FieldMapping,
  store: StoreBatch,
): Promise<ImportResult> {
  const result: ImportResult = {
    source,
    lines: 0,
    new: 0,
    changed: 0,
    unchanged: 0,
    refused: 0,
    problems: [],
  }
  let stored: Promise<void> = Promise.resolve()
  let batch: EvidenceItem[] = []
  let characters = 0

  const flush = async (): Promise<void> => {
    const items = batch
    batch = []
    characters = 0
    await stored
    if (items.length === 0) return
    stored = store(items).then((done) => {
      result.new += done.new
      result.changed += done.changed
      result.unchanged += done.unchanged
    })
    // Whoever awaits `stored` next sees the error; until then it is not unhandled.
    stored.catch(() => undefined)
  }

  try {
    for await (const line of lines) {
      result.lines += 1
      const read = readLine(line, mapping)
      if ('reason' in read) {
        result.refused += 1
        if (result.problems.length < mostProblems)
          result.problems.push({ line: line.number, reason: read.reason })
        continue
      }
      batch.push(read.item)
      characters += read.item.text.length
      if (batch.length >= batchItems || characters >= batchCharacters) await flush()
    }
  } finally {
    // What was read before the body broke off counts: its items are good ones.
    await flush()
    await stored
  }
  return result
}

function readLine(
  { bytes }: NumberedLine,
  mapping: FieldMapping,
): { item: EvidenceItem } | { reason: string } {
  if (bytes === null) return { reason: 'the line is longer than an import reads' }
  let text: string
  try {
    text = utf8.decode(bytes)
  } catch {
    return { reason: 'the line is not UTF-8' }
  }
  try {
    return { item: readEvidenceLine(text, mapping) }
  } catch (error) {
    if (isAlmanacError(error, 'INPUT_INVALID')) return { reason: error.message }
    throw error
  }
}

/** Also drops a byte order mark. */
const utf8 = new TextDecoder('utf-8', { fatal: true })
