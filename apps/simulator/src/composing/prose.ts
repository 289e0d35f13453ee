import type { SeededNumbers } from '../seeded.ts'

const vocabulary = [
  ...['account', 'agency', 'analysis', 'answer', 'area', 'balance', 'board', 'branch', 'capacity'],
  ...['change', 'channel', 'clause', 'committee', 'condition', 'cost', 'cycle', 'demand', 'detail'],
  ...['effect', 'example', 'factor', 'field', 'figure', 'filing', 'grade', 'group', 'guidance'],
  ...['industry', 'input', 'interval', 'level', 'limit', 'line', 'margin', 'market', 'material'],
  ...['measure', 'method', 'model', 'notice', 'office', 'order', 'outline', 'output', 'panel'],
  ...['period', 'plan', 'plant', 'policy', 'price', 'process', 'product', 'range', 'reading'],
  ...['record', 'result', 'review', 'route', 'rule', 'sample', 'scheme', 'section', 'share'],
  ...['signal', 'source', 'stage', 'standard', 'step', 'supply', 'table', 'term', 'trend', 'unit'],
]

/** `count` words in one line, the first of them capitalised. */
export function words(numbers: SeededNumbers, count: number): string {
  const line = Array.from({ length: count }, () => numbers.pick(vocabulary)).join(' ')
  return line.charAt(0).toUpperCase() + line.slice(1)
}

/** Sentences of at least `characters` characters. */
export function prose(numbers: SeededNumbers, characters: number): string {
  const sentences: string[] = []
  for (let length = 0; length < characters;) {
    const sentence = `${words(numbers, numbers.integer(5, 12))}.`
    sentences.push(sentence)
    length += sentence.length + 1
  }
  return sentences.join(' ')
}
