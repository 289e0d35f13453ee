import { singular } from '@almanac/documents'
import type { ActName } from '../knowledge/acts/index.ts'
import type { ConditionKind } from '../knowledge/conditions.ts'
import type { SubjectName } from '../knowledge/archetype.ts'
import { conditionAt, tokensOf, type Token } from './markers.ts'
import { subjectOf } from './nouns.ts'
import { findDisguised, findVerb, type FoundVerb } from './verbs.ts'

/** One thing that a purpose wants done. */
export interface Clause extends FoundVerb {
  /** What it is done to, as the purpose says it, without article: `new suppliers`. */
  object: string
  isPlural: boolean
  /** The class of the object; undefined when no word of it is known. */
  subject: SubjectName | undefined
}

export interface Condition {
  kind: ConditionKind
  /** As the purpose says it: `within two weeks`. */
  text: string
}

export interface PurposeReading {
  clauses: Clause[]
  conditions: Condition[]
}

const leadIn =
  /^(?:to|how to|the (?:purpose|aim|goal|objective)(?: of [^,]{1,40})? is to|we (?:want|need|have) to|(?:a|the) (?:workflow|process|procedure|guide|plan|playbook|checklist) (?:for|to|that helps \w+)|(?:help|enable|allow|get) (?:\w+ ){1,3}to|(?:make sure|ensure)(?: that)?(?: we)?|please)\s+/i
const articles = /^(?:the|a|an|our|all|any|its|their|your|my|this|these|those|some)$/
const mostClauses = 4
const mostObjectWords = 7

/**
 * Reads a purpose: what is to be done to what (verbs and their objects), and under which conditions
 * (dates, limits, places, means, whom it is for). Pure; knows English, and takes a text that it cannot
 * take apart as one thing to be planned.
 */
export function readPurpose(purpose: string): PurposeReading {
  let text = purpose.trim()
  while (leadIn.test(text)) text = text.replace(leadIn, '')
  const tokens = tokensOf(text)
  const found: { verb: FoundVerb; words: Token[] }[] = []
  const conditions: { kind: ConditionKind; words: Token[] }[] = []
  let words: Token[] = []
  let i = 0
  const open = opening(tokens)
  if (open) {
    words = [...open.before]
    found.push({ verb: open.verb, words })
    i = open.next
  } else found.push({ verb: { base: 'plan', act: 'plan' }, words })

  for (let isStart = false; i < tokens.length; i += 1) {
    const token = tokens[i]
    if (!token) break
    const isJoint = token.word === 'and' || token.word === 'then' || token.word === '&'
    const verbAt = isJoint ? i + (tokens[i + 1]?.word === 'then' ? 2 : 1) : i
    const isBoundary = isJoint || isStart || /[,;.]/.test(tokens[i - 1]?.pause ?? '')
    const verb = isBoundary && i > 0 ? verbStarting(tokens, verbAt) : undefined
    if (verb && found.length < mostClauses) {
      words = []
      found.push({ verb, words })
      i = verbAt
    } else {
      const opened = conditionAt(tokens, i)
      if (opened) {
        const kind = opened === 'destination' ? goingTo(found.at(-1)?.verb.act) : opened
        words = []
        conditions.push({ kind, words })
      }
      words.push(token)
    }
    isStart = token.pause === '.'
  }
  const phrases = found.map(({ verb, words: object }) => ({ verb, ...splitObject(object) }))
  // Of "collect and publish feedback", both verbs have the object of the last.
  const clauses = phrases.map(({ verb, object }, at) =>
    clauseOf(verb, object || (phrases.slice(at).find((later) => later.object)?.object ?? '')),
  )
  const rest = phrases.flatMap((phrase) => (phrase.rest ? [phrase.rest] : []))
  return {
    clauses: withObjects(clauses, purpose),
    conditions: [
      ...conditions.map(({ kind, words: said }) => ({ kind, text: textOf(said) })),
      ...rest.map((text) => ({ kind: 'detail' as const, text })),
    ].filter(({ text }) => text.split(' ').length > 1 || /^\w+ly$/.test(text)),
  }
}

/** What a "to" says: things are moved to a place, people go to one, words are meant for somebody. */
const goingTo = (act: ActName | undefined): ConditionKind =>
  act === 'change' ? 'destination' : act === 'plan' ? 'place' : 'beneficiary'

/** The first verb, or the noun that stands for one, with the words that belong to its object. */
function opening(
  tokens: readonly Token[],
): { verb: FoundVerb; before: Token[]; next: number } | undefined {
  const first = tokens[0]
  if (!first) return undefined
  const verb = /ly$/.test(first.word) ? undefined : findVerb(first.word)
  if (verb && !['of', 'for'].includes(tokens[1]?.word ?? '')) return { verb, before: [], next: 1 }
  for (const [i, token] of tokens.slice(0, 6).entries()) {
    const noun = findDisguised(token.word)
    if (!noun) continue
    const isOf = ['of', 'for'].includes(tokens[i + 1]?.word ?? '')
    const before = tokens.slice(0, i).filter(({ word }) => !articles.test(word))
    return { verb: noun, before: isOf ? [] : before, next: i + (isOf ? 2 : 1) }
  }
  return undefined
}

/** A verb that begins a clause: in its base form or as a gerund, and with something after it. */
function verbStarting(tokens: readonly Token[], i: number): FoundVerb | undefined {
  const token = tokens[i]
  const next = tokens[i + 1]?.word
  if (!token || token.pause !== '' || next === undefined) return undefined
  const verb = findVerb(token.word)
  if (!verb || (verb.base !== token.word && !token.word.endsWith('ing'))) return undefined
  // "safety checks and plan documents": a noun follows a noun; a verb is followed by what it acts on.
  return ['of', 'is', 'are', 'and', 'or'].includes(next) ? undefined : verb
}

function splitObject(tokens: readonly Token[]): { object: string; rest: string } {
  const words = [...tokens]
  while (
    words[0] &&
    (articles.test(words[0].word) || ['on', 'about', 'up', 'of'].includes(words[0].word))
  )
    words.shift()
  while (words.at(-1) && ['and', 'or', '&', 'then'].includes(words.at(-1)?.word ?? '')) words.pop()
  return {
    object: textOf(words.slice(0, mostObjectWords)),
    rest: textOf(words.slice(mostObjectWords)),
  }
}

const textOf = (tokens: readonly Token[]): string =>
  tokens
    .map(({ text, pause }, i) => (i < tokens.length - 1 && pause === ',' ? `${text},` : text))
    .join(' ')
    .replace(/(?:\s|,)*\b(?:and|or|then)$/, '')

/** What only counts things is not what is done something to: `number of accidents`. */
const counting = /^(?:number|amount|volume) of (?:the )?/i

function clauseOf(verb: FoundVerb, said: string): Clause {
  const object = said.replace(counting, '')
  const subject = subjectOf(object)
  return { ...verb, act: actOn(verb.act, subject), object, isPlural: isPlural(object), subject }
}

/** Some verbs mean another thing when done to other things: a supplier is not onboarded as a person is. */
function actOn(act: ActName, subject: SubjectName | undefined): ActName {
  if (act === 'welcome' && subject === 'organisations') return 'admit'
  if (act === 'comply' && subject === 'organisations') return 'admit'
  if (act === 'welcome' && subject !== undefined && !['people', 'customers'].includes(subject))
    return 'plan'
  return act
}

const plurals = new Set(['people', 'staff', 'children', 'criteria', 'police', 'men', 'women'])

/** Whether what a phrase names is several; the head is the last word before an `of` or `on`. */
function isPlural(object: string): boolean {
  const head = object.toLowerCase().split(/ (?:of|on|about|per) /)[0] ?? ''
  if (/ and |,/.test(head)) return true
  const last = head.split(' ').at(-1) ?? ''
  return plurals.has(last) || (singular(last) !== last && !/ss$/.test(last))
}

/** Clauses without any object are about the whole purpose. */
function withObjects(clauses: readonly Clause[], purpose: string): Clause[] {
  const full = clauses.filter(({ object }) => object !== '')
  if (full.length > 0) return full
  const [first] = clauses
  const words = purpose.replace(/[.\s]+$/, '').split(/\s+/)
  const object = words.slice(0, mostObjectWords).join(' ')
  return [clauseOf(first ?? { base: 'plan', act: 'plan' }, object)]
}
