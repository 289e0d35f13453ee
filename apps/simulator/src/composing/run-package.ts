import { z } from 'zod'

const key = z.object({ key: z.string(), label: z.string() })
const match = z.object({ deliverable: z.string(), region: z.string(), link: z.string() })

/** As much of a run package as a report is composed of; whatever else it holds is let through. */
const runPackage = z.object({
  packageVersion: z.number(),
  scope: z.object({
    deliverables: z.array(z.string()).min(1),
    regions: z.array(z.string()).min(1),
    links: z.array(z.string()).min(1),
  }),
  catalogue: z.nullish(z.looseObject({ deliverables: z.array(key), regions: z.array(z.json()) })),
  evidence: z.array(
    z.object({ id: z.string(), title: z.string(), text: z.string(), matches: z.array(match) }),
  ),
  output: z.looseObject({ jsonSchema: z.record(z.string(), z.json()) }).optional(),
  limits: z.object({
    maxItemsPerSection: z.int().min(1),
    maxSummaryLines: z.int().min(1),
  }),
})

/** The run package that a request's input carries, as the simulator reads it. */
export type FoundPackage = z.output<typeof runPackage>
export type FoundEvidence = FoundPackage['evidence'][number]
export type FoundMatch = FoundEvidence['matches'][number]

const mark = '"packageVersion"'

/** So many opening braces are tried: prose before a package holds few, and a scan costs its length. */
const mostTries = 1_000

/**
 * The first JSON object in `text` that has a `packageVersion`, itself or within it, and is a run
 * package. Undefined when there is none.
 */
export function findRunPackage(text: string): FoundPackage | undefined {
  const last = text.lastIndexOf(mark)
  let start = text.indexOf('{')
  for (let tries = 0; start >= 0 && start < last && tries < mostTries; tries += 1) {
    const end = endOfObject(text, start)
    const isCandidate = end !== undefined && text.indexOf(mark, start) < end
    const value = isCandidate ? parsed(text, start, end) : undefined
    const found = packageWithin(value)
    if (found) return found
    // What was read to its end holds no package, nor does an object without the mark.
    const isPast = end !== undefined && (value !== undefined || !isCandidate)
    start = text.indexOf('{', isPast ? end : start + 1)
  }
  return undefined
}

/** Just after the brace that closes the one at `start`; undefined when nothing closes it. */
function endOfObject(text: string, start: number): number | undefined {
  let depth = 0
  for (let at = start; at < text.length; at += 1) {
    const character = text[at]
    if (character === '"') at = endOfString(text, at)
    else if (character === '{') depth += 1
    else if (character === '}' && (depth -= 1) === 0) return at + 1
  }
  return undefined
}

/** Where the string that opens at `start` closes; the end of the text when it does not. */
function endOfString(text: string, start: number): number {
  for (let at = text.indexOf('"', start + 1); at >= 0; at = text.indexOf('"', at + 1)) {
    let slashes = 0
    while (text[at - 1 - slashes] === '\\') slashes += 1
    if (slashes % 2 === 0) return at
  }
  return text.length
}

function parsed(text: string, start: number, end: number): unknown {
  try {
    return JSON.parse(text.slice(start, end))
  } catch {
    return undefined
  }
}

function packageWithin(value: unknown): FoundPackage | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  if (Object.hasOwn(value, 'packageVersion')) {
    const result = runPackage.safeParse(value)
    if (result.success) return result.data
  }
  for (const inner of Object.values(value)) {
    const found = packageWithin(inner)
    if (found) return found
  }
  return undefined
}
