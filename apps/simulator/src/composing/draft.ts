import type { Json } from '@almanac/domain'
import { fits } from '../json-schema/fits.ts'
import { generate } from '../json-schema/generate.ts'
import type { SchemaNode } from '../json-schema/node.ts'
import { readSchema } from '../json-schema/read.ts'
import { seededNumbers } from '../seeded.ts'
import type { Ask } from './ask.ts'
import { groundedReport, type GroundedReport } from './grounded-report.ts'
import { judgeAnswer } from './judge-answer.ts'
import { prose } from './prose.ts'
import { findRunPackage, type FoundPackage } from './run-package.ts'
import { workflowAnswer } from './workflow-answer.ts'

/** What the simulated model would answer, before a fault spoils it. */
export type Draft =
  | { kind: 'report'; report: GroundedReport; package: FoundPackage; schema: SchemaNode }
  | { kind: 'document'; document: Json; schema: SchemaNode }
  | { kind: 'text'; text: string }

const anyObject: SchemaNode = {
  kind: 'object',
  properties: new Map([['answer', { kind: 'string', min: 0, max: Infinity }]]),
  required: new Set(['answer']),
  others: undefined,
}

/**
 * Composes the answer to `ask`, which `seed` and `requestHash` alone decide: the report of the run
 * package in its input where that fits the schema, or the workflow of one, or a judge's answers to a list of
 * checks, else a value of the schema, else prose.
 * Throws SchemaError for a schema that it cannot make a value of.
 */
export function composeDraft(ask: Ask, seed: string, requestHash: string): Draft {
  const numbers = seededNumbers(seed, 'answer', requestHash)
  if (!ask.schema && !ask.jsonObject)
    return { kind: 'text', text: prose(numbers, numbers.integer(200, 500)) }
  const found = firstPackage(ask.texts)
  const schema = ask.schema ?? schemaOf(found)
  if (found && schema) {
    const report = groundedReport(found, numbers)
    if (fits(schema, report)) return { kind: 'report', report, package: found, schema }
  }
  const workflow = schema && workflowAnswer(ask.texts, schema, numbers)
  if (schema && workflow !== undefined) return { kind: 'document', document: workflow, schema }
  const judgement = schema && judgeAnswer(ask.texts, schema, seed)
  if (schema && judgement !== undefined) return { kind: 'document', document: judgement, schema }
  const wanted = schema ?? anyObject
  return { kind: 'document', document: generate(wanted, numbers), schema: wanted }
}

/** The text that a draft goes on the wire as. */
export const textOf = (draft: Draft): string =>
  draft.kind === 'text'
    ? draft.text
    : JSON.stringify(draft.kind === 'report' ? draft.report : draft.document)

function firstPackage(texts: readonly string[]): FoundPackage | undefined {
  for (const text of texts) {
    const found = findRunPackage(text)
    if (found) return found
  }
  return undefined
}

/** Where a request wants some JSON object, its run package says which. */
function schemaOf(found: FoundPackage | undefined): SchemaNode | undefined {
  return found?.output && readSchema(found.output.jsonSchema, { strict: false })
}
