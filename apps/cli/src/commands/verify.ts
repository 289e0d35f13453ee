import {
  assertMigrated,
  verify,
  type CheckResult,
  type Codec,
  type Database,
  type Problem,
  type Rebuild,
  type VerifyReport,
} from '@almanac/db'
import { call } from '@almanac/documents'
import { parse, runPackage, type RunPackage } from '@almanac/domain'
import { createDeterministicEngine } from '@almanac/llm'
import { requestOf, type Engine, type Kinds } from '@almanac/pipeline'
import { createLogger, type Config } from '@almanac/runtime'
import { SingleBar } from 'cli-progress'
import type { Screen } from '../screen.ts'
import { withDatabase } from '../system/database.ts'
import { createEmbedder, createEngine } from '../system/engine.ts'
import { installIndustries } from '../system/installed-industries.ts'
import { createJudge, judgingEngine } from '../system/judge.ts'
import { loadPlugins } from '../system/plugins.ts'
import { createPluggedKinds } from '../system/runner-ports.ts'

/**
 * `almanac verify`: holds the stored rows of all tenants against what Almanac promises. Prints a line
 * a check and every row that is wrong; the exit code is 1 when there is one.
 * Throws DATABASE_NOT_MIGRATED, DATABASE_UNREACHABLE.
 */
export async function verifyDatabase(screen: Screen, config: Config): Promise<void> {
  const log = createLogger(config, 'stderr')
  installIndustries(config.industryFiles)
  const plugins = await loadPlugins(config, log)
  const embedder = await createEmbedder(config)
  const parts = {
    // The offline engine needs no set-up: what it once made is made again whatever is configured now.
    engines: [
      await createEngine(config, log, { engines: plugins.engines }),
      ...judgingEngine(await createJudge(config, plugins, log)),
      ...(embedder ? [embedder] : []),
      createDeterministicEngine(),
    ],
    kinds: createPluggedKinds(plugins),
  }
  try {
    await withDatabase(config, log, async ({ db, codec }) => {
      await assertMigrated(db)
      await verifyAndTell(db, { ...parts, codec }, screen)
    })
  } finally {
    await plugins.close()
  }
}

export interface VerifyParts {
  codec: Codec
  /** The engines whose requests can be made again here. */
  engines: readonly Engine[]
  kinds: Kinds
}

/** Verifies, and tells the outcome on the screen and by the exit code. */
export async function verifyAndTell(
  db: Database,
  { codec, engines, kinds }: VerifyParts,
  screen: Screen,
): Promise<VerifyReport> {
  const bar = screen.interactive
    ? new SingleBar({ format: '{bar} {value} of {total}  {name}: {rows}', hideCursor: true })
    : undefined
  bar?.start(1, 0, { name: '', rows: 0 })
  let report: VerifyReport
  try {
    report = await verify(db, {
      codec,
      rebuild: rebuildWith(engines, kinds),
      log: ({ check, checks, name, rows }) => {
        bar?.setTotal(checks)
        bar?.update(check, { name, rows })
      },
    })
  } finally {
    bar?.stop()
  }
  tell(report, screen)
  screen.result(report)
  if (!report.ok) process.exitCode = 1
  return report
}

/** Makes requests as the pipeline did, from stored texts and by the engine that recorded them. */
export function rebuildWith(engines: readonly Engine[], kinds: Kinds): Rebuild {
  // The calls of a run share its package, and stand one after the other.
  let last: { text: string; parsed: RunPackage } | undefined
  return ({ provider, model, packageText, callText, inputs }) => {
    const engine = engines.find((one) => one.provider === provider && one.model === model)
    if (!engine) return undefined
    if (last?.text !== packageText)
      last = {
        text: packageText,
        parsed: parse(runPackage, JSON.parse(packageText), 'package'),
      }
    const stored = parse(call, JSON.parse(callText), 'call')
    const kind = kinds.get(last.parsed.output.kind)
    return engine.body(requestOf(kind, last.parsed, stored, inputs))
  }
}

function tell({ ok, checks, unchecked }: VerifyReport, screen: Screen): void {
  const width = Math.max(...checks.map(({ name }) => name.length))
  for (const check of checks) {
    const { promise, name, problems, problemCount } = check
    const line = `${glyphOf(check)} ${promise.padEnd(3)}  ${name.padEnd(width)}  ${countOf(check)}`
    screen.say(line)
    for (const problem of problems) screen.say(`       ${sentenceOf(problem)}`)
    if (problemCount > problems.length)
      screen.say(`       and ${problemCount - problems.length} more`)
  }
  screen.say()
  if (unchecked.length > 0) screen.say(`Nothing to check yet for ${unchecked.join(', ')}.`)
  const wrong = checks.reduce((sum, { problemCount }) => sum + problemCount, 0)
  if (ok) screen.say('Everything that is stored is as it must be.')
  else screen.say(`${wrong === 1 ? 'One problem' : `${wrong} problems`}: see the lines with ✕.`)
}

const glyphOf = ({ problemCount, rows }: CheckResult): string =>
  problemCount > 0 ? '✕' : rows > 0 ? '✓' : '–'

function countOf({ rows, unit, notes }: CheckResult): string {
  const counted = rows > 0 ? `${unit}: ${rows}` : `${unit}: nothing to check yet`
  return [counted, ...notes].join('; ')
}

function sentenceOf({ table, row, what }: Problem): string {
  const key = Object.entries(row).map(([column, value]) => `${column} ${value}`)
  return table === null ? what : `${table} (${key.join(', ')}): ${what}`
}
