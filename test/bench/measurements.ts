import { writeFileSync } from 'node:fs'
import { cpus, totalmem } from 'node:os'

/** What was measured of one metric: the middle, the least and the most of several rounds. */
export interface Metric {
  median: number
  min: number
  max: number
  unit: string
  /** The median against a baseline of the same run, where there is one. */
  ratioTo?: { name: string; ratio: number }
}

/** Summarises rounds; throws when there is none. */
export function metric(values: readonly number[], unit: string): Metric {
  const sorted = [...values].sort((a, b) => a - b)
  const [min, max] = [sorted[0], sorted.at(-1)]
  const middle = sorted.length / 2
  const median =
    sorted.length % 2 === 1
      ? sorted[Math.floor(middle)]
      : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2
  if (min === undefined || max === undefined || median === undefined)
    throw new Error('nothing was measured')
  return { median: round(median), min: round(min), max: round(max), unit }
}

/** The value below which `share` of the values lie. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN
}

const round = (value: number): number => Number(value.toPrecision(4))

/** Prints a table for people, and writes the figures as JSON where asked. */
export function publish(bench: string, metrics: Record<string, Metric>, file?: string): void {
  const machine = `${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.version}`
  console.log(`\n${bench} on ${machine}\n`)
  const rows = Object.entries(metrics).map(([name, { median, min, max, unit, ratioTo }]) => [
    name,
    String(median),
    `${min} – ${max}`,
    unit,
    ratioTo ? `${ratioTo.ratio.toFixed(2)} × ${ratioTo.name}` : '',
  ])
  const all = [['metric', 'median', 'range', 'unit', ''], ...rows]
  const widths = all[0]?.map((_, i) => Math.max(...all.map((row) => (row[i] ?? '').length))) ?? []
  for (const row of all)
    console.log(
      row
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join('  ')
        .trimEnd(),
    )
  if (file)
    writeFileSync(
      file,
      `${JSON.stringify({ bench, machine, at: new Date().toISOString(), metrics }, null, 2)}\n`,
    )
}
