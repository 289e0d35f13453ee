import {
  changeStageControl,
  listStageControls,
  type Database,
  type StageControlChange,
} from '@almanac/db'
import { parse, stageNames } from '@almanac/domain'
import { createLogger, type Config } from '@almanac/runtime'
import { z } from 'zod'
import { table, type Screen } from '../screen.ts'
import { withDatabase } from '../system/database.ts'

/** A stage of the pipeline, or `variant`: the versions that refinements ask for. */
const controlled = [...stageNames, 'variant'] as const
const controlName = z.enum(controlled, { error: `must be one of ${controlled.join(', ')}` })
const reasonText = z.string().trim().max(500)

const inDatabase = <T>(config: Config, work: (db: Database) => Promise<T>): Promise<T> =>
  withDatabase(config, createLogger(config, 'stderr'), ({ db }) => work(db))

/** `almanac stage list`: what operators have paused or limited; every other stage works as it is. */
export async function listStages(screen: Screen, config: Config): Promise<void> {
  const stages = await inDatabase(config, (db) => db.withSystem('operators', listStageControls))
  const rows = stages.map(({ stage, paused, concurrency, reason, changedBy, changedAt }) => [
    stage,
    paused ? 'paused' : 'running',
    concurrency === null ? 'as set up' : `${concurrency} at once`,
    changedAt,
    changedBy,
    reason,
  ])
  if (rows.length === 0) screen.say('No stage was ever paused or limited.')
  else screen.say(table([['stage', '', 'jobs a process', 'since', 'by', 'because'], ...rows]))
  screen.result({ stages })
}

interface Reasoned {
  reason?: string
}

/**
 * `almanac stage pause STAGE`: workers take no more jobs of it within a second; what is under way is
 * finished, and nothing is lost. Throws INPUT_INVALID for a name that is no stage.
 */
export const pauseStage = (screen: Screen, config: Config, name: string, why: Reasoned) =>
  control(screen, config, { name, change: { paused: true } }, why)

/** `almanac stage resume STAGE`: takes jobs of it again, as many at once as before. */
export const resumeStage = (screen: Screen, config: Config, name: string, why: Reasoned) =>
  control(screen, config, { name, change: { paused: false } }, why)

/** `almanac stage limit STAGE N`: at most so many jobs of it at once in each process; 0 lifts the limit. */
export const limitStage = (
  screen: Screen,
  config: Config,
  { name, jobs }: { name: string; jobs: number },
  why: Reasoned,
) => control(screen, config, { name, change: { concurrency: jobs === 0 ? null : jobs } }, why)

async function control(
  screen: Screen,
  config: Config,
  { name, change }: { name: string; change: StageControlChange },
  { reason = '' }: Reasoned,
): Promise<void> {
  const stage = parse(controlName, name, 'STAGE')
  const by = { by: 'operator', reason: parse(reasonText, reason, '--reason') }
  const { paused, concurrency } = await inDatabase(config, (db) =>
    db.withSystem('operators', (trx) => changeStageControl(trx, stage, change, by)),
  )
  const jobs =
    concurrency === null
      ? 'as many jobs at once as each process is set up for'
      : `at most ${concurrency} jobs at once in each process`
  screen.say(paused ? `${stage} is paused.` : `${stage} runs, with ${jobs}.`)
  screen.result({ stage, paused, concurrency })
}
