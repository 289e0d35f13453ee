import type { WorkflowForm } from '../schema.ts'
import { wordsOf } from './words.ts'

/** What a style asks for, as far as its words say it. */
export interface StyleProfile {
  form: WorkflowForm
  /** `formal`: roles shall do; `friendly`: the reader is spoken to; `plain`: what is done is said. */
  register: 'plain' | 'formal' | 'friendly'
  /** `terse`: only what is done; `full`: with what it rests on; `usual` otherwise. */
  length: 'terse' | 'usual' | 'full'
  /** The most words that a step may have in this style. */
  mostWords: number
}

const named = {
  checklist: /^(?:checklists?|check-lists?|tick|ticks|tickable|checkbox(?:es)?|boxes)$/,
  narrative:
    /^(?:narratives?|stor(?:y|ies)|prose|essays?|conversational|storytelling|paragraphs?)$/,
  terse:
    /^(?:terse|concise|short|brief|briefly|minimal|crisp|succinct|telegraphic|compact|lean|bullets?|punchy|laconic)$/,
  full: /^(?:detailed|thorough|comprehensive|in-depth|exhaustive|explanatory|elaborate|complete)$/,
  formal:
    /^(?:formal|official|legal|regulatory|policy|sop|contractual|authoritative|binding|normative)$/,
  friendly:
    /^(?:friendly|warm|informal|casual|conversational|encouraging|welcoming|kind|approachable|supportive)$/,
} as const

const negations = new Set(['not', 'no', 'non', 'without', 'avoid', 'never', 'rather'])
const mostWords = { terse: 14, usual: 30, full: 45 } as const

/** Reads a style. A word after `not`, `without` and the like does not count. */
export function styleProfile(style: string): StyleProfile {
  const words = wordsOf(style)
  const said = (name: keyof typeof named) =>
    words.some((word, i) => named[name].test(word) && !negations.has(words[i - 1] ?? ''))
  const length = said('terse') ? 'terse' : said('full') ? 'full' : 'usual'
  return {
    form: said('checklist') ? 'checklist' : said('narrative') ? 'narrative' : 'steps',
    register: said('formal') ? 'formal' : said('friendly') ? 'friendly' : 'plain',
    length,
    mostWords: mostWords[length],
  }
}
