import type { UsageDimension, UsageGroup } from './api/usage.ts'
import { csvText, type CsvCell } from './csv.ts'
import { usdText } from './money.ts'

type Group = UsageGroup & { tenantId?: string }
type Dimension = UsageDimension | 'tenant'
type Column = readonly [name: string, cell: (group: Group) => CsvCell]

const keyColumns: Record<Dimension, readonly Column[]> = {
  tenant: [['tenant_id', ({ tenantId }) => tenantId ?? '']],
  specification: [
    ['specification_id', ({ specificationId }) => specificationId ?? ''],
    ['specification_name', ({ specificationName }) => specificationName ?? ''],
  ],
  run: [['run_id', ({ runId }) => runId ?? '']],
  stage: [['stage', ({ stage }) => stage ?? '']],
  cause: [['cause', ({ cause }) => cause ?? '']],
  provider: [['provider', ({ provider }) => provider ?? '']],
  model: [['model', ({ model }) => model ?? '']],
  day: [['day', ({ day }) => day ?? '']],
  month: [['month', ({ month }) => month ?? '']],
}

const sumColumns: readonly Column[] = [
  ['calls', ({ calls }) => calls],
  ['charged_calls', ({ chargedCalls }) => chargedCalls],
  ['estimated_calls', ({ estimatedCalls }) => estimatedCalls],
  ['cost_micro_usd', ({ costMicroUsd }) => costMicroUsd],
  ['cost_usd', ({ costMicroUsd }) => usdText(costMicroUsd)],
  ['overrun_micro_usd', ({ overrunMicroUsd }) => overrunMicroUsd],
  ['input_tokens', ({ inputTokens }) => inputTokens],
  ['cached_input_tokens', ({ cachedInputTokens }) => cachedInputTokens],
  ['output_tokens', ({ outputTokens }) => outputTokens],
  ['tokens', ({ tokens }) => tokens],
]

/** Usage as a table: a heading, then a line a group; columns by the order of `groupBy`. */
export function usageTable(groupBy: readonly Dimension[], groups: readonly Group[]): CsvCell[][] {
  const columns = [...groupBy.flatMap((dimension) => keyColumns[dimension]), ...sumColumns]
  return [
    columns.map(([name]) => name),
    ...groups.map((group) => columns.map(([, cell]) => cell(group))),
  ]
}

/** Usage as CSV, with cells that no spreadsheet takes for formulas. */
export const usageCsv = (groupBy: readonly Dimension[], groups: readonly Group[]): string =>
  csvText(usageTable(groupBy, groups))
