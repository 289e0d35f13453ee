import {
  AlmanacError,
  dollars,
  parse,
  parseCsv,
  usageDay,
  type Issue,
  type ProviderLine,
} from '@almanac/domain'
import { z } from 'zod'

const tokens = z
  .union(
    [
      z.int(),
      z
        .string()
        .regex(/^\d{1,15}$/)
        .transform(Number),
    ],
    {
      error: 'must be a whole number of tokens',
    },
  )
  .refine((count) => count >= 0, { error: 'must not be negative' })

const line = z
  .object({
    date: usageDay,
    model: z.string().min(1).max(200),
    input_tokens: tokens,
    output_tokens: tokens,
    cost_usd: dollars.optional(),
    cost_micro_usd: z
      .union(
        [
          z.int(),
          z
            .string()
            .regex(/^\d{1,15}$/)
            .transform(Number),
        ],
        {
          error: 'must be a whole number of micro-USD',
        },
      )
      .refine((amount) => amount >= 0, { error: 'must not be negative' })
      .optional(),
  })
  .refine((row) => (row.cost_usd === undefined) !== (row.cost_micro_usd === undefined), {
    error: 'must be there, or cost_micro_usd, and not both',
    path: ['cost_usd'],
  })

const columns = ['date', 'model', 'input_tokens', 'output_tokens'] as const
/** Problems of a file that are named; the rest is only counted. */
const mostIssues = 20

/**
 * Reads a provider's usage: CSV with a heading, or one JSON object a line, with the columns `date` (UTC,
 * 2026-11-21), `model`, `input_tokens` (cached ones included), `output_tokens`, and `cost_usd` (dollars,
 * decimal) or `cost_micro_usd`; others are ignored. Throws INPUT_INVALID with every line that is wrong.
 */
export function parseProviderFile(text: string, file: string): ProviderLine[] {
  const rows = text.trimStart().startsWith('{') ? jsonRows(text, file) : csvRows(text, file)
  if (rows.length === 0)
    throw refusal([{ field: file, message: 'must hold at least one line of usage' }])
  const issues: Issue[] = []
  const lines = rows.flatMap(({ at, row }) => {
    try {
      const { date, cost_usd, cost_micro_usd, ...rest } = parse(line, row, `${file}:${at}`)
      const cost = cost_usd ?? BigInt(cost_micro_usd ?? 0) * 1_000_000n
      const { model, input_tokens: inputTokens, output_tokens: outputTokens } = rest
      return [{ day: date, model, inputTokens, outputTokens, cost }]
    } catch (error) {
      if (!(error instanceof AlmanacError) || error.code !== 'INPUT_INVALID') throw error
      issues.push(...(error.params as { issues: Issue[] }).issues)
      return []
    }
  })
  if (issues.length === 0) return lines
  const more = issues.length - mostIssues
  const rest = more > 0 ? [{ field: file, message: `has ${more} further problems` }] : []
  throw refusal([...issues.slice(0, mostIssues), ...rest])
}

interface NumberedRow {
  at: number
  row: unknown
}

function csvRows(text: string, file: string): NumberedRow[] {
  const found = parseCsv(text)
  if ('unclosedLine' in found)
    throw refusal([
      { field: `${file}:${found.unclosedLine}`, message: 'has a quote that nothing closes' },
    ])
  const [heading = [], ...rows] = found.rows
  const names = heading.map((name) => name.trim().toLowerCase())
  const missing = columns.filter((name) => !names.includes(name))
  if (missing.length > 0)
    throw refusal([
      {
        field: `${file}:1`,
        message: `must name the columns ${missing.join(', ')}`,
        value: heading.join(','),
      },
    ])
  return rows.map((row, i) => ({
    at: i + 2,
    row: Object.fromEntries(
      names.flatMap((name, column) => {
        const cell = row[column]?.trim() ?? ''
        return cell === '' ? [] : [[name, cell]]
      }),
    ),
  }))
}

const jsonRows = (text: string, file: string): NumberedRow[] =>
  text.split(/\r?\n/).flatMap((entry, i) => {
    if (entry.trim() === '') return []
    try {
      return [{ at: i + 1, row: JSON.parse(entry) as unknown }]
    } catch {
      throw refusal([{ field: `${file}:${i + 1}`, message: 'must be a JSON object' }])
    }
  })

const refusal = (issues: Issue[]) => new AlmanacError('INPUT_INVALID', { issues })
