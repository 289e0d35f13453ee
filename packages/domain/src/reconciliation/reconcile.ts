import { toMicroUsd, type PicoUsd } from './dollars.ts'

interface Counted {
  costMicroUsd: number
  inputTokens: number
  outputTokens: number
}

/** What we have counted of one day and model. */
export interface CountedLine extends Counted {
  day: string
  model: string
}

/** What a provider says of one day and model. */
export interface ProviderLine {
  day: string
  model: string
  inputTokens: number
  outputTokens: number
  cost: PicoUsd
}

/** A day and model of which somebody has counted something; differences are theirs minus ours. */
export interface ReconciledLine {
  day: string
  model: string
  ours: Counted
  theirs: Counted
  difference: Counted
  /** Of the larger of both costs; 0.01 is one percent. */
  share: number
  /** Whether the difference passes the threshold. */
  over: boolean
}

export interface Reconciliation {
  lines: ReconciledLine[]
  total: Omit<ReconciledLine, 'day' | 'model'>
}

/** A dated snapshot, `gpt-5.4-2026-03-05`, is billed under its model's name, or under its own. */
const modelOf = (name: string): string => name.replace(/-\d{4}-\d{2}-\d{2}$/, '')

const nothing: Counted = { costMicroUsd: 0, inputTokens: 0, outputTokens: 0 }

/**
 * Holds what a provider says against what was counted, by UTC day and model. A line is over when its
 * costs, or its tokens, differ by more than `threshold` (a share) of the larger one.
 */
export function reconcile(
  ours: readonly CountedLine[],
  theirs: readonly ProviderLine[],
  threshold: number,
): Reconciliation {
  const lines = new Map<string, { ours: Counted; theirs: Counted; cost: PicoUsd }>()
  const at = (day: string, model: string) => {
    const key = `${day} ${modelOf(model)}`
    let line = lines.get(key)
    if (!line) lines.set(key, (line = { ours: { ...nothing }, theirs: { ...nothing }, cost: 0n }))
    return line
  }
  for (const line of ours) add(at(line.day, line.model).ours, line)
  for (const { day, model, cost, ...counted } of theirs) {
    const line = at(day, model)
    add(line.theirs, { ...counted, costMicroUsd: 0 })
    line.cost += cost
  }
  const compared = [...lines]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, { ours: mine, theirs: told, cost }]): ReconciledLine => {
      const [day = '', ...model] = key.split(' ')
      const theirSum = { ...told, costMicroUsd: toMicroUsd(cost) }
      return { day, model: model.join(' '), ...compare(mine, theirSum, threshold) }
    })
  const sums = { ours: { ...nothing }, theirs: { ...nothing } }
  for (const line of compared) {
    add(sums.ours, line.ours)
    add(sums.theirs, line.theirs)
  }
  return { lines: compared, total: compare(sums.ours, sums.theirs, threshold) }
}

function add(sum: Counted, more: Counted): void {
  sum.costMicroUsd += more.costMicroUsd
  sum.inputTokens += more.inputTokens
  sum.outputTokens += more.outputTokens
}

function compare(ours: Counted, theirs: Counted, threshold: number) {
  const shareOf = (name: keyof Counted): number => {
    const larger = Math.max(ours[name], theirs[name])
    return larger === 0 ? 0 : Math.abs(theirs[name] - ours[name]) / larger
  }
  const names = ['costMicroUsd', 'inputTokens', 'outputTokens'] as const
  return {
    ours,
    theirs,
    difference: {
      costMicroUsd: theirs.costMicroUsd - ours.costMicroUsd,
      inputTokens: theirs.inputTokens - ours.inputTokens,
      outputTokens: theirs.outputTokens - ours.outputTokens,
    },
    share: shareOf('costMicroUsd'),
    over: names.some((name) => shareOf(name) > threshold),
  }
}
