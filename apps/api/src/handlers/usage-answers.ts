import type { DayRange } from '@almanac/db'
import { AlmanacError, usageCsv } from '@almanac/domain'
import type { Request } from 'express'
import type { BytesAnswer } from '../binding/route-handler.ts'
import type { ApiParts } from '../parts.ts'

/** Lines of one CSV answer. */
export const mostCsvLines = 100_000

/** Usage as a file for a spreadsheet. */
export function usageCsvAnswer(
  groupBy: Parameters<typeof usageCsv>[0],
  groups: Parameters<typeof usageCsv>[1],
  { from, to }: DayRange,
): BytesAnswer {
  return {
    bytes: Buffer.from(usageCsv(groupBy, groups)),
    headers: {
      'content-type': 'text/csv; charset=utf-8',
      'content-disposition': `attachment; filename="almanac-usage-${from}-${to}.csv"`,
      'cache-control': 'no-store',
    },
  }
}

/** Whether CSV is asked for, by the query or else by what the caller accepts. */
export const wantsCsv = ({
  query: { format },
  request,
}: {
  query: { format?: 'json' | 'csv' | undefined }
  request: Request
}): boolean =>
  format === undefined
    ? request.accepts(['application/json', 'text/csv']) === 'text/csv'
    : format === 'csv'

/** The days that are asked for; the present month up to today unless they are named. */
export function daysOf(
  { clock }: Pick<ApiParts, 'clock'>,
  {
    from,
    to = clock.now().toISOString().slice(0, 10),
  }: { from?: string | undefined; to?: string | undefined },
): DayRange {
  const range = { from: from ?? `${to.slice(0, 7)}-01`, to }
  if (range.from <= range.to) return range
  throw new AlmanacError('INPUT_INVALID', {
    issues: [{ field: 'query.from', message: `must not be after ${to}`, value: range.from }],
  })
}
