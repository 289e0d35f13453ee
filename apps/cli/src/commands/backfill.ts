import { AlmanacError, isAlmanacError, type RunResource } from '@almanac/domain'
import { periodsBetween } from '@almanac/domain/cadence'
import type { Client } from '@almanac/client'
import { SingleBar } from 'cli-progress'
import { findSpecification } from '../find-specification.ts'
import { table, type Screen } from '../screen.ts'
import { untilOver } from './run.ts'

export interface BackfillOptions {
  from: string
  to: string
  dryRun?: boolean
}

interface Line {
  period: string
  outcome: string
  run: string
}

/**
 * `almanac backfill SPEC --from P --to P`: makes the periods one at a time, oldest first. A period
 * that has its document is skipped, so that an interrupted backfill goes on where it was.
 */
export async function backfill(
  client: Client,
  screen: Screen,
  text: string,
  { from, to, dryRun = false }: BackfillOptions,
): Promise<void> {
  const specification = await findSpecification(client, text)
  const periods = periodsBetween(specification.body.cadence, from, to)
  if (dryRun) {
    screen.say(`${periods.length} periods, oldest first: ${periods.join(' ')}`)
    screen.result({ periods })
    return
  }
  const bar = screen.interactive
    ? new SingleBar({ format: 'Backfill {bar} {value} of {total}  {period}', hideCursor: true })
    : undefined
  bar?.start(periods.length, 0, { period: '' })
  const lines: Line[] = []
  try {
    for (const period of periods) {
      bar?.update({ period })
      lines.push(await makePeriod(client, specification.id, period))
      bar?.increment()
    }
  } finally {
    bar?.stop()
  }
  screen.say(
    table([['PERIOD', 'OUTCOME', 'RUN'], ...lines.map((l) => [l.period, l.outcome, l.run])]),
  )
  const count = (outcome: string) => lines.filter((line) => line.outcome === outcome).length
  const [made, skipped] = [count('succeeded'), count('already made')]
  const failed = lines.length - made - skipped
  screen.say(`${made} made, ${skipped} already made, ${failed} not made`)
  screen.result(lines)
  if (failed > 0) process.exitCode = 1
}

async function makePeriod(
  client: Client,
  specificationId: RunResource['specificationId'],
  period: string,
): Promise<Line> {
  try {
    const body = { specificationId, period, trigger: 'backfill' } as const
    const run = await untilOver(client, await client.createRun({ body, wait: 60 }))
    return {
      period,
      outcome: run.error ? `${run.state}: ${run.error.code}` : run.state,
      run: run.id,
    }
  } catch (error) {
    if (isAlmanacError(error, 'CADENCE_SLOT_TAKEN'))
      return { period, outcome: 'already made', run: error.params.run }
    if (error instanceof AlmanacError && error.code.startsWith('CADENCE_'))
      return { period, outcome: `refused: ${error.message}`, run: '–' }
    throw error
  }
}
