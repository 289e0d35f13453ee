import { AlmanacError, isAlmanacError, type Issue } from '@almanac/domain'
import type { PriceRow } from '@almanac/llm/openai'
import { readText } from '../read-file.ts'
import { parseCommentedJson } from './installed-industries.ts'

/** What reads price rows; brought by the caller, since the package that has it is loaded late. */
export type ParsePrices = (input: unknown) => PriceRow[]

/** The price rows of the file that LLM_PRICES names. Throws CONFIG_INVALID with all that is wrong. */
export function readPriceFile(file: string, parsePrices: ParsePrices): PriceRow[] {
  try {
    return parsePrices(parseCommentedJson(readText(file)))
  } catch (error) {
    throw new AlmanacError(
      'CONFIG_INVALID',
      { issues: problemsOf(error).map((issue) => ({ ...issue, field: 'LLM_PRICES' })) },
      { cause: error },
    )
  }
}

function problemsOf(error: unknown): Issue[] {
  if (error instanceof SyntaxError)
    return [{ field: '', message: `must name a JSON file: ${error.message}` }]
  if (isAlmanacError(error, 'INPUT_INVALID'))
    return error.params.issues.map(({ field, message, ...rest }) => ({
      field,
      message: `${field}: ${message}`,
      ...rest,
    }))
  if (isAlmanacError(error)) return [{ field: '', message: error.message }]
  throw error
}
