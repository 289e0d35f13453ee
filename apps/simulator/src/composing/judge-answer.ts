import type { Json } from '@almanac/domain'
import { z } from 'zod'
import { fits } from '../json-schema/fits.ts'
import type { SchemaNode } from '../json-schema/node.ts'
import { seededNumbers } from '../seeded.ts'
import { dataBlocks } from './data-blocks.ts'
import { words } from './prose.ts'

const checks = z.array(z.object({ id: z.string(), question: z.string() })).min(1)

/** The share of checks that a simulated judge finds to hold. */
const holding = 0.8

/**
 * The answer to a request that has a document judged by a list of checks: one for each, decided by seed,
 * document and check alone, so that the order in which they are asked changes nothing. Undefined where
 * the input holds no such list, or the schema wants something else.
 */
export function judgeAnswer(
  texts: readonly string[],
  schema: SchemaNode,
  seed: string,
): Json | undefined {
  const blocks = new Map(dataBlocks(texts).map((one) => [one.name, one]))
  const asked = checks.safeParse(blocks.get('the checks')?.value)
  if (!asked.success) return undefined
  const document = blocks.get('the document')?.text ?? ''
  const answer = {
    answers: asked.data.map(({ id, question }) => {
      const numbers = seededNumbers(seed, 'judge', document, id, question)
      const holds = numbers.next() < holding ? 'yes' : 'no'
      return { check: id, why: `${words(numbers, 7)}.`, holds }
    }),
  }
  return fits(schema, answer) ? answer : undefined
}
