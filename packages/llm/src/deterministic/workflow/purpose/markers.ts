import type { ConditionKind } from '../knowledge/conditions.ts'
import { findVerb } from './verbs.ts'

const time =
  /^(?:minutes?|hours?|days?|nights?|weekends?|weeks?|months?|quarters?|years?|seasons?|spring|summer|autumn|fall|winter|christmas|easter|today|tomorrow|midnight|noon|january|february|march|april|may|june|july|august|september|october|november|december|mondays?|tuesdays?|wednesdays?|thursdays?|fridays?|saturdays?|sundays?|q[1-4]|\d{4}|deadline|end|shifts?)$/
const rhythms = /^(?:daily|weekly|fortnightly|monthly|quarterly|yearly|annually|hourly|nightly)$/
const negative = /^(?:no|zero|any|not)$/
const amount =
  /\d|€|\$|£|percent|budget|euros?|dollars?|pounds?|million|thousand|hours?|minutes?|days?/

/** A token of a purpose: as it stands, in lower case without punctuation, and whether a pause follows. */
export interface Token {
  text: string
  word: string
  /** What ends the token: `,` or `;` or `.`; empty where nothing does. */
  pause: string
}

/** The tokens of a text; punctuation goes with the word before it. */
export function tokensOf(text: string): Token[] {
  return text.split(/\s+/).flatMap((raw): Token[] => {
    const [, pause = ''] = /([,;.:!?])["'”’)]*$/.exec(raw) ?? []
    const bare = raw.replace(/^["'“‘(]+|["'”’),;.:!?]+$/g, '')
    if (bare === '' || /^[-–—]+$/.test(bare)) return []
    return [{ text: bare, word: bare.toLowerCase(), pause: /[:!?]/.test(pause) ? ';' : pause }]
  })
}

/**
 * The kind of condition that the token at `i` opens; undefined where the words go on as they were. The
 * preposition says it, and what follows it: `by Friday` is a date, `by comparing prices` a means.
 */
export function conditionAt(tokens: readonly Token[], i: number): ConditionKind | undefined {
  const word = tokens[i]?.word ?? ''
  const next = tokens[i + 1]?.word ?? ''
  const ahead = tokens.slice(i + 1, i + 5).map((token) => token.word)
  const hasTime = ahead.some((one) => time.test(one))
  if (rhythms.test(word) && i > 0) return 'rhythm'
  switch (word) {
    case 'by':
      return findVerb(next) && next.endsWith('ing') ? 'means' : hasTime ? 'deadline' : 'means'
    case 'before':
    case 'until':
      return 'deadline'
    case 'within':
      return hasTime ? 'deadline' : 'place'
    case 'every':
    case 'each':
      return hasTime ? 'rhythm' : undefined
    case 'under':
    case 'below':
      return ahead.some((one) => amount.test(one)) ? 'ceiling' : 'place'
    case 'without':
    case 'except':
    case 'excluding':
    case 'never':
      return 'exclusion'
    case 'with':
      return negative.test(next) ? 'exclusion' : 'means'
    case 'using':
    case 'via':
    case 'through':
      return 'means'
    case 'for':
      return hasTime && /\d|^(?:one|two|three|the|a)$/.test(next) ? 'deadline' : 'beneficiary'
    case 'in':
    case 'at':
    case 'across':
    case 'throughout':
    case 'between':
    case 'during':
    case 'after':
      return hasTime ? 'deadline' : 'place'
    case 'from':
      return 'origin'
    case 'into':
    case 'onto':
      return 'destination'
    case 'to':
      return findVerb(next) && !next.endsWith('ing') ? 'aim' : 'destination'
    case 'so':
      return 'aim'
    case 'that':
    case 'which':
    case 'who':
    case 'whose':
    case 'where':
    case 'when':
    case 'while':
    case 'because':
    case 'if':
      return 'detail'
    default:
      return undefined
  }
}
