import { definePlugin, type DelivererHook, type MetricHook } from '@almanac/plugin-api'
import { createHash } from 'node:crypto'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'

const report = z.object({
  summary: z.array(z.object({ text: z.string() })),
  sections: z.array(z.object({ items: z.array(z.object({ text: z.string() })) })),
})

/** Longer sentences than this are hard to follow. */
const comfortableWords = 30

/** The share of a report's statements whose sentences are short enough to be read once. */
export const sentenceLength: MetricHook = {
  name: 'sentence-length',
  kind: 'report',
  weight: 0.1,
  measure({ content }) {
    const { summary, sections } = report.parse(content)
    // A statement counts once however often it is said, so that repeating short ones gains nothing.
    const statements = new Set(
      [...summary, ...sections.flatMap(({ items }) => items)].map(({ text }) => text),
    )
    const long = [...statements].filter((text) => longest(text) > comfortableWords)
    const value = statements.size === 0 ? 1 : 1 - long.length / statements.size
    const reasons = long
      .slice(0, 5)
      .map((text) => `${longest(text)} words in one sentence: ${start(text)}`)
    return { value, reasons }
  },
}

const longest = (text: string): number =>
  Math.max(...text.split(/[.!?](?:\s|$)/).map((sentence) => sentence.split(/\s+/).length))

const start = (text: string): string => {
  const line = text.replace(/[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]+/gu, ' ').trim()
  return line.length <= 60 ? line : `${line.slice(0, 60).toWellFormed().trimEnd()}…`
}

/**
 * Keeps each finished document in a folder under the hash of its bytes, with a note a delivery. Trying
 * a delivery again writes the same bytes under the same names.
 */
export const archive = (folder: string): DelivererHook => ({
  name: 'archive',
  async deliver({ id, runId, periodKey, artifacts }, signal) {
    await mkdir(folder, { recursive: true })
    for (const { sha256, text } of artifacts) {
      signal.throwIfAborted()
      const found = createHash('sha256').update(text).digest('hex')
      if (found !== sha256) throw new Error(`the bytes of ${sha256} are not what they should be`)
      await writeWhole(folder, sha256, text)
    }
    const files = artifacts.map(({ format, sha256 }) => ({ format, sha256 }))
    await writeWhole(folder, `${id}.json`, JSON.stringify({ id, runId, periodKey, files }))
    return { folder, files: files.length }
  },
})

let writes = 0
/** Writes beside and renames: a reader sees the whole file or none, and two tries do not mix. */
async function writeWhole(folder: string, name: string, text: string): Promise<void> {
  const unfinished = join(folder, `.${name}.${(writes += 1)}`)
  await writeFile(unfinished, text)
  if ((await readFile(unfinished, 'utf8')) !== text) throw new Error(`${name} was not written`)
  await rename(unfinished, join(folder, name))
}

// A plugin sees of the environment what begins with PLUGIN_; reading it is its own business.
// eslint-disable-next-line no-restricted-properties
const folder = process.env['PLUGIN_ARCHIVE_DIR'] ?? '.almanac/archive'

export default definePlugin({
  name: 'readability',
  apiVersion: 1,
  hooks: { metrics: [sentenceLength], deliverers: [archive(folder)] },
})
