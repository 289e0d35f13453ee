import { createClient, type Client } from '@almanac/client'
import { isAlmanacError, type SpecificationResource } from '@almanac/domain'
import {
  createLogger,
  createShutdown,
  readConfig,
  readEnvironment,
  type Config,
} from '@almanac/runtime'
import { createWriteStream, existsSync, mkdirSync } from 'node:fs'
import { join, relative } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { writeCredentials } from '../credentials.ts'
import type { Screen } from '../screen.ts'
import { ensureFirstTenant } from '../system/first-tenant.ts'
import { ensureSample, samplePeriod } from '../system/sample.ts'
import { startSystem } from '../system/system.ts'
import { untilOver } from './run.ts'

export interface UpOptions {
  once?: boolean
  port?: number
  data?: string
}

/**
 * `almanac up`: database, migrations, API and worker in this process; on the first start a tenant, its
 * key, and the sample, whose report is made at once. Ends on a signal, or with `--once` after the sample.
 */
export async function up(screen: Screen, options: UpOptions): Promise<void> {
  const config = configOf(options)
  const log = createLogger(config, logTarget(config))
  for (const notice of config.notices) screen.warn(notice)
  const shutdown = createShutdown({ log, graceMs: config.shutdownGraceMs })
  shutdown.listen()
  try {
    const { db, api } = await startSystem(config, log, shutdown)
    screen.say(`Almanac answers at ${api.url}  (API reference: ${api.url}/docs)`)
    const key = await ensureFirstTenant(db, config, api.url)
    if (key !== undefined) {
      writeCredentials(config.dataDir, { url: api.url, key })
      await makeSample(screen, config, createClient({ url: api.url, key }), options.once === true)
    }
    if (options.once) void shutdown.begin('the sample is made')
    else screen.say('Stop with Ctrl-C.')
  } catch (error) {
    await shutdown.begin('the start failed', 1)
    throw error
  }
  const exitCode = await shutdown.done
  // A failed sample has set its own code already; an orderly end must not hide it.
  process.exit(exitCode === 0 ? process.exitCode : exitCode)
}

/** Runs the sample's fixed period, or says which run made it before. */
async function makeSample(
  screen: Screen,
  config: Config,
  client: Client,
  once: boolean,
): Promise<void> {
  const specification = await ensureSample(client)
  if (specification.state !== 'active') {
    screen.say(`The sample specification is ${specification.state}; nothing is made.`)
    return
  }
  const body = { specificationId: specification.id, period: samplePeriod, trigger: 'cli' } as const
  try {
    const run = await untilOver(client, await client.createRun({ body, wait: 60 }))
    if (run.state === 'succeeded') await sayReport(screen, config, client, specification)
    else {
      screen.warn(run.error?.detail ?? `The sample run is ${run.state}.`)
      process.exitCode = 1
    }
  } catch (error) {
    // Another process on the same database may be making it just now.
    const isMade =
      isAlmanacError(error, 'CADENCE_SLOT_TAKEN') || isAlmanacError(error, 'CADENCE_IN_PROGRESS')
    if (!isMade) throw error
    screen.say(`Nothing new was made: ${error.message}`)
    await sayReport(screen, config, client, specification)
  }
  if (!once) {
    screen.say('Next, a specification of your own: see README, "Your own specification".')
  }
}

async function sayReport(
  screen: Screen,
  config: Config,
  client: Client,
  specification: SpecificationResource,
): Promise<void> {
  const { tenantId } = await client.whoAmI()
  const folder = join(config.deliveryDir, tenantId, specification.id, samplePeriod)
  // The report is delivered by a loop of its own, within a second or two of the run's end.
  for (let waited = 0; waited < 10_000 && !existsSync(join(folder, 'delivery.json')); waited += 50)
    await sleep(50)
  const near = relative('', folder)
  const file = join(near.startsWith('..') ? folder : near, 'report.html')
  screen.say(`Sample report (invented data), ${samplePeriod}:`)
  screen.say(`  ${file}`)
  screen.say(`  beside it: report.md, report.json`)
  screen.result({ folder, period: samplePeriod })
}

const configOf = ({ data, port }: UpOptions): Config =>
  readConfig({
    ...readEnvironment(),
    ...(data === undefined ? {} : { ALMANAC_DATA: data }),
    ...(port === undefined ? {} : { ALMANAC_PORT: String(port) }),
  })

/** On a terminal the log would bury the lines for people: it goes to a file there, else to stderr. */
function logTarget(config: Config): 'stderr' | NodeJS.WritableStream {
  if (!process.stderr.isTTY) return 'stderr'
  mkdirSync(config.dataDir, { recursive: true })
  return createWriteStream(join(config.dataDir, 'almanac.log'), { flags: 'a' })
}
