import { packageText, parse, visibleText, type Json, type RunPackage } from '@almanac/domain'
import { z } from 'zod'
import { fenced, fenceRule } from '../fence.ts'
import type { Call, Prompt } from '../kind.ts'
import { oneSpace, parsedText } from '../read-answer.ts'
import { strictObject } from '../strict-object.ts'
import { judgedChecks, type JudgedCheck } from './checklist.ts'

/** What every call of the kind `judge` asks; its inputs are the document, then the checks as JSON. */
export const judgeBrief = 'Answer every check about the document, in the order given.'

/** Answers are short; what a model thinks before it answers is not. */
export const judgeOutputTokens = 8_000

/**
 * The prompt of a judge's call and the schema of its answer, of whatever kind the document is: a pure
 * function of package, call and inputs. Who made the document, and what it scores, is not told. Throws
 * INPUT_INVALID for inputs that are no document and checks.
 */
export function judgeRequest(
  runPackage: RunPackage,
  { brief }: Call,
  [document = '', checklist = '']: readonly string[],
): { prompt: Prompt; jsonSchema: Record<string, Json> } {
  const checks = parse(judgedChecks, parsedText(checklist), 'checklist')
  const blocks = [
    fenced('the run package', packageText(runPackage)),
    fenced('the document', document),
    fenced('the checks', checklist),
  ]
  return {
    prompt: { instructions, input: `${blocks.join('\n\n')}\n\nTask: ${brief}` },
    jsonSchema: strictObject({
      answers: {
        type: 'array',
        items: strictObject({
          check: { type: 'string', enum: checks.map(({ id }) => id) },
          why: {
            type: 'string',
            description: 'One sentence that names the place in the document.',
          },
          holds: { type: 'string', enum: ['yes', 'no'] },
        }),
      },
    }),
  }
}

const instructions = `You judge a finished document by a list of checks, each a question with the answer yes or no.

Rules
${fenceRule}
- Answer with one JSON object of the given schema and nothing else.
- answers: one for each check, in the order of the checks.
- why: first say, in one sentence of at most 25 words, what in the document decides; name the place.
- holds: yes only where the document itself shows it. Where it is unclear, or true in part, no.
- Judge what the document says against its run package, each check by itself. How long the document is,
  how well it reads, and what other checks ask makes no difference unless the check asks for it.`

/** What a judge said to one check. */
export interface CheckAnswer {
  holds: boolean
  why: string
}

const judgement = z.object({
  answers: z.array(z.object({ check: z.string(), why: z.string(), holds: z.enum(['yes', 'no']) })),
})

const mostWhy = 180

/** A judge's answers by check; undefined for an answer that does not answer each check once. */
export function readJudgement(
  output: unknown,
  checks: readonly JudgedCheck[],
): Map<string, CheckAnswer> | undefined {
  const parsed = judgement.safeParse(parsedText(output))
  if (!parsed.success) return undefined
  const answers = new Map(
    parsed.data.answers.map(({ check, why, holds }) => [
      check,
      { holds: holds === 'yes', why: inOneLine(why) },
    ]),
  )
  const isWhole =
    parsed.data.answers.length === checks.length && checks.every(({ id }) => answers.has(id))
  return isWhole ? answers : undefined
}

function inOneLine(text: string): string {
  const line = oneSpace(visibleText(text))
  return line.length <= mostWhy ? line : `${line.slice(0, mostWhy).toWellFormed().trimEnd()}…`
}
