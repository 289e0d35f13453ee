import { parse, runId, stageNames, type StageName } from '@almanac/domain'
import { readConfig, readEnvironment } from '@almanac/runtime'
import { Command, InvalidArgumentError, Option } from 'commander'
import { fetchArtifacts } from './commands/artifacts.ts'
import { backfill } from './commands/backfill.ts'
import { importEvidence } from './commands/evidence.ts'
import { replayRun, startRun, watchRun } from './commands/run.ts'
import { activateSpecification, applySpecification, listSpecifications } from './commands/spec.ts'
import { connectClient } from './credentials.ts'
import { createScreen, type Screen } from './screen.ts'

/** What needs the whole system is loaded only when it is called: the other commands start faster. */
const parts = {
  up: () => import('./commands/up.ts'),
  database: () => import('./commands/database.ts'),
  operators: () => import('./commands/operators.ts'),
  simulate: () => import('./commands/simulate-llm.ts'),
  verify: () => import('./commands/verify.ts'),
}

interface Common {
  json?: boolean
  data?: string
}

/** The command line: `almanac <command>`; each command's work is a file under `commands/`. */
export function createProgram(): Command {
  const program = new Command('almanac')
    .description('Specification-bound LLM generation for many tenants, on a cadence.')
    .exitOverride()
    .showHelpAfterError('(almanac help COMMAND says more)')

  const command = (of: Command, nameAndArguments: string, description: string) =>
    of
      .command(nameAndArguments)
      .description(description)
      .option('--json', 'print one JSON value instead of lines')
      .option('--data <DIR>', 'the data folder (default .almanac)')

  // Almanac itself
  command(program, 'up', 'run everything in one process, with a sample on the first start')
    .option('--once', 'make the sample report, then stop')
    .option('--port <N>', 'where the API listens', wholeNumber)
    .action(async (options: Common & { once?: boolean; port?: number }) =>
      (await parts.up()).up(screenOf(options), options),
    )
  command(program, 'reset', 'delete the data folder’s database')
    .option('--yes', 'without asking')
    .action(async (options: Common & { yes?: boolean }) =>
      (await parts.database()).resetData(
        screenOf(options),
        configFor(options),
        options.yes ?? false,
      ),
    )
  command(program, 'migrate', 'bring the database up to this version').action(
    async (options: Common) =>
      (await parts.database()).migrateDatabase(screenOf(options), configFor(options)),
  )

  command(program, 'verify', 'check every promise against the stored rows').action(
    async (options: Common) =>
      (await parts.verify()).verifyDatabase(screenOf(options), configFor(options)),
  )

  program
    .command('simulate-llm')
    .description('start a model provider’s wire with seeded answers and faults, for trials')
    .allowUnknownOption()
    .helpOption(false)
    .argument('[OPTIONS...]', 'see simulate-llm --help')
    .action(async (args: string[]) => (await parts.simulate()).simulateProvider(args))

  // What operators do
  const tenant = program.command('tenant').description('tenants and what they have bought')
  command(tenant, 'create <NAME>', 'create a tenant, its entitlement and a first key')
    .requiredOption('--entitlement <FILE>', 'a JSON file: what the tenant has bought')
    .action(async (name: string, options: Common & { entitlement: string }) =>
      (await parts.operators()).createTenantNamed(
        screenOf(options),
        configFor(options),
        name,
        options.entitlement,
      ),
    )
  command(tenant, 'entitle <TENANT>', 'replace what a tenant (id or name) has bought')
    .requiredOption('--entitlement <FILE>', 'a JSON file: what the tenant has bought')
    .action(async (name: string, options: Common & { entitlement: string }) =>
      (await parts.operators()).entitleTenant(
        screenOf(options),
        configFor(options),
        name,
        options.entitlement,
      ),
    )
  const key = program.command('key').description('API keys')
  command(key, 'create <TENANT>', 'create a key for a tenant (id or name); it is shown once')
    .option('--name <NAME>', 'what the key is for', 'cli')
    .option('--scope <SCOPE...>', 'what it may do (default: all that a tenant may)')
    .action(async (name: string, options: Common & { name: string; scope?: string[] }) =>
      (await parts.operators()).createKeyFor(screenOf(options), configFor(options), name, options),
    )

  // What tenants do
  const spec = program.command('spec').description('specifications')
  command(spec, 'apply <FILE>', 'create or revise a specification from a JSON file').action(
    (file: string, options: Common) => applySpecification(client(options), screenOf(options), file),
  )
  command(spec, 'activate <SPEC>', 'let a specification run').action(
    (text: string, options: Common) =>
      activateSpecification(client(options), screenOf(options), text),
  )
  command(spec, 'list', 'list specifications').action((options: Common) =>
    listSpecifications(client(options), screenOf(options)),
  )
  const evidence = program.command('evidence').description('evidence')
  command(evidence, 'import <FILE>', 'import items, one JSON object a line')
    .requiredOption('--source <NAME>', 'the source they come from')
    .action(async (file: string, options: Common & { source: string }) => {
      await importEvidence(client(options), screenOf(options), file, options)
    })
  command(program, 'run <SPEC>', 'run a specification (id, external id or name)')
    .option('--period <P>', 'the period, such as 2022-W10 (default: the last complete one)')
    .option('--test', 'a trial: takes no period and delivers nothing')
    .option('--fresh', 'do not reuse an earlier answer')
    .option('--wait', 'wait until the run is over')
    .action(async (text: string, options: Common & { period?: string; wait?: boolean }) => {
      await startRun(client(options), screenOf(options), text, options)
    })
  command(program, 'backfill <SPEC>', 'make past periods, oldest first')
    .requiredOption('--from <P>', 'the first period')
    .requiredOption('--to <P>', 'the last period')
    .option('--dry-run', 'only say which periods')
    .action((text: string, options: Common & { from: string; to: string; dryRun?: boolean }) =>
      backfill(client(options), screenOf(options), text, options),
    )
  command(program, 'watch <RUN>', 'follow a run').action((id: string, options: Common) =>
    watchRun(client(options), screenOf(options), parse(runId, id, 'RUN')),
  )
  command(program, 'replay <RUN>', 'a new run with the same package, or from a stage on')
    .addOption(new Option('--from <STAGE>', 'the first stage to do anew').choices(stageNames))
    .option('--grant <N>', 'the granted slot to use, after a success', wholeNumber)
    .action((id: string, options: Common & { from?: StageName; grant?: number }) =>
      replayRun(client(options), screenOf(options), parse(runId, id, 'RUN'), options),
    )
  command(program, 'artifacts <RUN>', 'list a run’s artifacts, or write them into a folder')
    .option('--out <DIR>', 'the folder')
    .action((id: string, options: Common & { out?: string }) =>
      fetchArtifacts(client(options), screenOf(options), parse(runId, id, 'RUN'), options),
    )
  return program
}

const screenOf = ({ json = false }: Common): Screen => createScreen(json)

const client = ({ data }: Common) => connectClient(data)

/** The configuration, with `--data` in the place of ALMANAC_DATA. */
const configFor = ({ data }: Common) =>
  readConfig({ ...readEnvironment(), ...(data === undefined ? {} : { ALMANAC_DATA: data }) })

function wholeNumber(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('It must be a whole number.')
}
