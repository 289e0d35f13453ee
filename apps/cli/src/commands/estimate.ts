import type { Client } from '@almanac/client'
import { usdText, type EstimateBasis, type EstimateResource } from '@almanac/domain'
import { findSpecification } from '../find-specification.ts'
import { table, type Screen } from '../screen.ts'

const rests: Record<EstimateBasis, (runs: number) => string> = {
  package: (runs) =>
    runs === 0
      ? 'on the package that it would have'
      : `on the package that it would have, and on ${runs} earlier runs`,
  specification_history: (runs) => `on ${runs} earlier runs of the specification`,
  kindred_history: (runs) =>
    `on ${runs} runs of other specifications of the same kind and industry`,
  run_budget: () => 'on nothing but the budget of a run: there is no package and no history',
}

/** `almanac estimate SPEC`: what a run would cost, and whether the budgets have room for it. */
export async function estimateSpecification(
  client: Client,
  screen: Screen,
  text: string,
  { period }: { period?: string },
): Promise<void> {
  const { id } = await findSpecification(client, text)
  const query = period === undefined ? {} : { period }
  const estimate = await client.estimateRun({ params: { id }, query })
  sayEstimate(screen, estimate)
  screen.result(estimate)
}

function sayEstimate(screen: Screen, estimate: EstimateResource): void {
  const { periodKey, basis, runs, fits, short } = estimate
  const lines = (['low', 'expected', 'high', 'limit'] as const).map((name) => [
    name,
    `$${usdText(estimate[name].microUsd)}`,
    `${estimate[name].tokens} tokens`,
  ])
  screen.say(`A run${periodKey === null ? '' : ` of ${periodKey}`} would cost:`)
  screen.say(table(lines))
  screen.say(`This rests ${rests[basis](runs)}.`)
  if (fits === 'yes') screen.say('Every budget has room for it now.')
  else
    screen.say(
      fits === 'maybe'
        ? 'The budgets have room for what is expected, but not for the most that it may cost:'
        : 'The budgets have no room for it now:',
    )
  for (const { level, unit, needed, left, because } of short)
    screen.say(
      because === 'overrun'
        ? `  ${level}: an overrun keeps calls out until an operator acknowledges it`
        : `  ${level}: ${needed} ${unit} are needed, ${left} are left`,
    )
}
