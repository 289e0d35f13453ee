import { capitalised, singular, wordsOf } from './words.ts'

/** Whom a workflow is for, as far as the audience's words say it. */
export interface AudienceProfile {
  /** One of each kind of people that the audience names: `Site engineer`. */
  people: string[]
  /** `newcomer` wants every step and why, `expert` what is particular, `leader` the decisions. */
  level: 'newcomer' | 'practitioner' | 'expert' | 'leader'
}

const levels = [
  [
    'newcomer',
    /^(?:new|newcomers?|beginners?|novices?|students?|trainees?|apprentices?|interns?|volunteers?|first-time|starters?|juniors?|inexperienced|non-technical|laypeople|public|families|parents|graduates?)$/,
  ],
  [
    'expert',
    /^(?:experts?|senior|experienced|specialists?|seasoned|veterans?|advanced|principal|skilled)$/,
  ],
  [
    'leader',
    /^(?:executives?|boards?|directors?|leadership|leaders?|c-level|founders?|partners|trustees|heads?|vps?|presidents?|ministers?|ceos?|cfos?|ctos?|sponsors?)$/,
  ],
] as const

const mostPeople = 6
const mostNameWords = 5
const leading = /^(?:for|the|a|an|our|all|any|every|both|either|its|their|your|my|some|mainly)\s+/i
const trailing =
  /\s+(?:who|whom|that|which|with|without|in|at|from|responsible|on|across|working|under|during|within|new to|by|and their|when|outside|inside|near|to)\s.*$/i

/** Reads an audience: the people it names, in order, and how much they want to be told. */
export function audienceProfile(audience: string): AudienceProfile {
  const people = audience
    .split(/\s*(?:[,;/&]|\band\b|\bor\b|\bas well as\b|\()\s*/i)
    .map(personOf)
    .filter((name) => name !== '')
  const words = wordsOf(audience)
  const level = levels.find(([, pattern]) => words.some((word) => pattern.test(word)))?.[0]
  return { people: [...new Set(people)].slice(0, mostPeople), level: level ?? 'practitioner' }
}

function personOf(part: string): string {
  let name = ` ${part}`.replace(trailing, '').trim()
  while (leading.test(name)) name = name.replace(leading, '')
  const words = name
    .replace(/[^\p{L}\p{N}\s'’.-]+/gu, ' ')
    .split(/\s+/)
    .filter(Boolean)
    .slice(0, mostNameWords)
  if (!words.some((word) => /\p{L}{2}/u.test(word))) return ''
  // "Heads of department": the head stands before the "of".
  const of = words.indexOf('of')
  const head = of > 0 ? of - 1 : words.length - 1
  const one = words.map((word, i) => (i === head ? singular(word.replace(/\.$/, '')) : word))
  return capitalised(one.join(' '))
}
