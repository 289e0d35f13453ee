import type { SeededNumbers } from '../seeded.ts'

/** Writes the texts of a pattern, other ones with other numbers. */
export type PatternWriter = (numbers: SeededNumbers) => string

/** So many more than the least does an open repetition write at most. */
const extraRepeats = 4

const digits = '0123456789'
const lower = 'abcdefghijklmnopqrstuvwxyz'
const word = `${lower}${lower.toUpperCase()}${digits}_`
const printable = `${word} !#%&'()*+,-./:;<=>?@[]^{|}~`
const sets: Record<string, string> = { d: digits, w: word, s: ' ' }
const controls: Record<string, string> = { n: '\n', r: '\r', t: '\t', f: '\f', v: '\v' }

/**
 * Reads a regular expression of literals, classes, groups, alternatives and repetitions into a writer
 * of texts that match it. Undefined for what it cannot write: look-around, back-references, properties.
 */
export function patternWriter(pattern: string): PatternWriter | undefined {
  const reader = createReader(pattern)
  const writer = reader.alternatives()
  return writer && reader.isAtEnd() ? writer : undefined
}

function createReader(pattern: string) {
  let at = 0
  const take = (text: string): boolean => {
    if (!pattern.startsWith(text, at)) return false
    at += text.length
    return true
  }

  function alternatives(): PatternWriter | undefined {
    const choices: PatternWriter[] = []
    do {
      const choice = sequence()
      if (!choice) return undefined
      choices.push(choice)
    } while (take('|'))
    return (numbers) => numbers.pick(choices)(numbers)
  }

  function sequence(): PatternWriter | undefined {
    const parts: PatternWriter[] = []
    while (at < pattern.length && pattern[at] !== '|' && pattern[at] !== ')') {
      if (take('^') || take('$')) continue
      const part = repeated()
      if (!part) return undefined
      parts.push(part)
    }
    return (numbers) => parts.map((part) => part(numbers)).join('')
  }

  function repeated(): PatternWriter | undefined {
    const part = single()
    if (!part) return undefined
    const range = repetition()
    if (!range) return part
    const [least, most] = range
    return (numbers) =>
      Array.from({ length: numbers.integer(least, most) }, () => part(numbers)).join('')
  }

  function repetition(): [number, number] | undefined {
    const range = readRange()
    if (range) take('?')
    return range
  }

  function readRange(): [number, number] | undefined {
    if (take('*')) return [0, extraRepeats]
    if (take('+')) return [1, 1 + extraRepeats]
    if (take('?')) return [0, 1]
    const braces = /^\{(\d+)(,(\d*))?\}/.exec(pattern.slice(at))
    if (!braces) return undefined
    at += braces[0].length
    const least = Number(braces[1])
    if (braces[2] === undefined) return [least, least]
    return [least, braces[3] ? Number(braces[3]) : least + extraRepeats]
  }

  function single(): PatternWriter | undefined {
    if (take('(')) {
      const name = /^\?<[A-Za-z_]\w*>/.exec(pattern.slice(at))
      if (name) at += name[0].length
      else if (!take('?:') && pattern[at] === '?') return undefined
      const inner = alternatives()
      return inner && take(')') ? inner : undefined
    }
    if (take('[')) return oneOf(characterClass())
    if (take('.')) return oneOf(word)
    if (take('\\')) return oneOf(escape())
    const literal = String.fromCodePoint(pattern.codePointAt(at) ?? 0)
    at += literal.length
    return /^[*+?{}]$/.test(literal) ? undefined : () => literal
  }

  function escape(): string | undefined {
    const letter = pattern[at] ?? ''
    at += 1
    const hex = letter === 'u' ? /^[\dA-Fa-f]{4}/ : letter === 'x' ? /^[\dA-Fa-f]{2}/ : undefined
    if (hex) {
      const code = hex.exec(pattern.slice(at))?.[0]
      if (!code) return undefined
      at += code.length
      return String.fromCharCode(Number.parseInt(code, 16))
    }
    if (sets[letter] !== undefined) return sets[letter]
    const without = sets[letter.toLowerCase()]
    if (without !== undefined) return except(without)
    return controls[letter] ?? (/[A-Za-z0-9]/.test(letter) ? undefined : letter)
  }

  function characterClass(): string | undefined {
    const negated = take('^')
    let allowed = ''
    while (!take(']')) {
      if (at >= pattern.length) return undefined
      const from = classCharacter()
      if (from === undefined) return undefined
      const isRange = pattern[at] === '-' && pattern[at + 1] !== ']' && from.length === 1
      if (!isRange) {
        allowed += from
        continue
      }
      at += 1
      const to = classCharacter()
      if (to === undefined || to.length !== 1) return undefined
      const [first, last] = [from.charCodeAt(0), to.charCodeAt(0)]
      for (let code = first; code <= last && code < first + 256; code += 1)
        allowed += String.fromCharCode(code)
    }
    return negated ? except(allowed) : allowed
  }

  function classCharacter(): string | undefined {
    if (take('\\')) return escape()
    const character = pattern[at]
    at += 1
    return character
  }

  return { alternatives, isAtEnd: () => at === pattern.length }
}

const except = (characters: string): string =>
  [...printable].filter((character) => !characters.includes(character)).join('')

function oneOf(characters: string | undefined): PatternWriter | undefined {
  if (!characters) return undefined
  const list = [...characters]
  return (numbers) => numbers.pick(list)
}
