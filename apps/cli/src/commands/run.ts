import { isTerminal, statePresentation, type RunId, type RunResource } from '@almanac/domain'
import type { Client } from '@almanac/client'
import { findSpecification } from '../find-specification.ts'
import type { Screen } from '../screen.ts'

/** A run as one line for people: silhouette, word, what and why. */
export function runLine(run: RunResource): string {
  const { glyph, word } = statePresentation[run.state]
  const period = run.periodKey ? ` ${run.periodKey}` : ''
  const test = run.test ? ' (test)' : ''
  const parked = run.parked ? `: ${run.parked.says}, until ${run.parked.wakeAt}` : ''
  const score = run.score === null ? '' : `, score ${run.score.toFixed(2)}`
  return `${glyph} ${word}${parked}  ${run.specificationName}${period}${test}  ${run.id}${score}`
}

export function sayRun(screen: Screen, run: RunResource): void {
  screen.say(runLine(run))
  if (!run.error) return
  screen.say(`  ${run.error.detail}`)
  screen.say(`  ${run.error.remedy}`)
}

export interface RunOptions {
  period?: string
  test?: boolean
  wait?: boolean
  fresh?: boolean
}

/** `almanac run SPEC`: starts a run; with `--wait` answers when it is over, and fails when it failed. */
export async function startRun(
  client: Client,
  screen: Screen,
  text: string,
  { period, test = false, wait = false, fresh = false }: RunOptions,
): Promise<RunResource> {
  const { id } = await findSpecification(client, text)
  const started = await client.createRun({
    body: { specificationId: id, test, fresh, trigger: 'cli', ...(period ? { period } : {}) },
    ...(wait ? { wait: 60 } : {}),
  })
  const run = wait ? await untilOver(client, started) : started
  sayRun(screen, run)
  screen.result(run)
  if (wait && run.state !== 'succeeded') process.exitCode = 1
  return run
}

/** The run when it has ended; follows its events, so that it neither polls nor misses the end. */
export async function untilOver(client: Client, run: RunResource): Promise<RunResource> {
  if (isTerminal(run.state)) return run
  for await (const _event of client.runEvents(run.id));
  return client.getRun({ params: { id: run.id } })
}

/** `almanac watch RUN`: prints each event as it happens. */
export async function watchRun(client: Client, screen: Screen, id: RunId): Promise<void> {
  for await (const { at, type, data } of client.runEvents(id)) {
    const facts = Object.entries(data).map(([name, value]) => `${name}=${String(value)}`)
    screen.say(`${at}  ${type}  ${facts.join(' ')}`)
  }
  const run = await client.getRun({ params: { id } })
  sayRun(screen, run)
  screen.result(run)
}

/** `almanac replay RUN`: a new run with the same package, or from a stage on. */
export async function replayRun(
  client: Client,
  screen: Screen,
  id: RunId,
  { from, grant }: { from?: RunResource['stage']; grant?: number },
): Promise<void> {
  const params = { id }
  const run = from
    ? await client.rerunRun({
        params,
        body: { fromStage: from, ...(grant === undefined ? {} : { grant }) },
      })
    : await client.retryRun({ params })
  const over = await untilOver(client, run)
  sayRun(screen, over)
  screen.result(over)
  if (over.state !== 'succeeded') process.exitCode = 1
}
