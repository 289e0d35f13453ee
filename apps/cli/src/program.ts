import {
  budgetLevels,
  catalogueKey,
  checkpointStates,
  parse,
  phaseKinds,
  runId,
  stageNames,
  usageDimensions,
  versionId,
  type CheckpointState,
  type PhaseKind,
  type StageName,
} from '@almanac/domain'
import { readConfig, readEnvironment } from '@almanac/runtime'
import { Argument, Command, InvalidArgumentError, Option } from 'commander'
import type { ReconcileOptions, UsageOptions } from './commands/usage.ts'
import { fetchArtifacts } from './commands/artifacts.ts'
import { backfill } from './commands/backfill.ts'
import type { LimitOptions } from './commands/budget.ts'
import type { CheckpointChoice, DecisionOptions } from './commands/checkpoint.ts'
import type { NewKey } from './commands/keys.ts'
import { estimateSpecification } from './commands/estimate.ts'
import { importEvidence } from './commands/evidence.ts'
import { addModule, listModules, removeModule } from './commands/modules.ts'
import { rollBackRun } from './commands/rollback.ts'
import { replayRun, startRun, watchRun } from './commands/run.ts'
import { activateSpecification, applySpecification, listSpecifications } from './commands/spec.ts'
import { connectClient } from './credentials.ts'
import { createScreen, type Screen } from './screen.ts'

/** What needs the whole system is loaded only when it is called: the other commands start faster. */
const parts = {
  up: () => import('./commands/up.ts'),
  audit: () => import('./commands/audit.ts'),
  checkpoint: () => import('./commands/checkpoint.ts'),
  database: () => import('./commands/database.ts'),
  industry: () => import('./commands/industry.ts'),
  diff: () => import('./commands/diff.ts'),
  keys: () => import('./commands/keys.ts'),
  budget: () => import('./commands/budget.ts'),
  operators: () => import('./commands/operators.ts'),
  provider: () => import('./commands/provider.ts'),
  rates: () => import('./commands/rates.ts'),
  stage: () => import('./commands/stage.ts'),
  stopSpend: () => import('./commands/stop-spend.ts'),
  usage: () => import('./commands/usage.ts'),
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

  const command = (
    of: Command,
    nameAndArguments: string,
    description: string,
    { isDefault = false } = {},
  ) =>
    of
      .command(nameAndArguments, { isDefault })
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

  const industry = program.command('industry').description('industries of your own')
  command(industry, 'new <FILE>', 'write an industry to begin from')
    .option('--id <ID>', 'what specifications will name it by', catalogueKeyOf, 'my-industry')
    .action(async (file: string, options: Common & { id: string }) => {
      ;(await parts.industry()).newIndustry(screenOf(options), file, options)
    })
  command(industry, 'check <FILE>', 'say everything that is wrong with it').action(
    async (file: string, options: Common) => {
      ;(await parts.industry()).checkIndustryFile(screenOf(options), file)
    },
  )
  command(industry, 'try <FILE>', 'show which evidence would belong where, and which nowhere')
    .requiredOption('--evidence <FILE>', 'items of evidence, one JSON object a line')
    .option('--mapping <FILE>', 'a JSON file: which field of a line holds what')
    .action(async (file: string, options: Common & { evidence: string; mapping?: string }) => {
      ;(await parts.industry()).tryIndustry(screenOf(options), file, options)
    })

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
  command(key, 'create [TENANT]', 'create a key for a tenant (id or name); it is shown once')
    .option('--operator', 'for those who run the installation: a key of no tenant')
    .option('--name <NAME>', 'what the key is for', 'cli')
    .option(
      '--person <NAME>',
      'whose it is (default: the tenant’s first); made where there is none',
    )
    .option('--scope <SCOPE...>', 'what it may do (default: all that a tenant, or operator, may)')
    .action(async (tenantText: string | undefined, options: Common & NewKey) =>
      (await parts.keys()).createKeyNamed(
        screenOf(options),
        configFor(options),
        tenantText,
        options,
      ),
    )
  command(key, 'list [TENANT]', 'a tenant’s keys (id or name), or those of operators').action(
    async (text: string | undefined, options: Common) =>
      (await parts.keys()).listAllKeys(screenOf(options), configFor(options), text),
  )
  command(key, 'revoke <KEY>', 'end a key, of a tenant or an operator').action(
    async (id: string, options: Common) =>
      (await parts.keys()).revokeKeyNamed(screenOf(options), configFor(options), id),
  )
  const budget = program.command('budget').description('what may be spent, and what was')
  command(budget, 'set', 'set a limit; in force at once')
    .addArgument(
      new Argument('<LEVEL>', 'what is limited').choices([...budgetLevels, 'provider/day']),
    )
    .option('--tenant <TENANT>', 'whose (id or name)')
    .option('--spec <SPEC>', 'the specification’s id, at the level specification')
    .option('--provider <PROVIDER>', 'the provider, at the level provider/day')
    .option('--micro-usd <N>', 'millionths of a dollar')
    .option('--tokens <N>', 'tokens')
    .option('--none', 'lift the limit')
    .action(async (level: string, options: Common & LimitOptions) =>
      (await parts.budget()).setBudget(screenOf(options), configFor(options), level, options),
    )
  command(
    budget,
    'list [TENANT]',
    'limits, holds, spending and alarms (without TENANT: providers)',
  ).action(async (text: string | undefined, options: Common) =>
    (await parts.budget()).showBudgets(screenOf(options), configFor(options), text),
  )
  command(budget, 'acknowledge <RUN> <CALLKEY>', 'let calls through again after an overrun')
    .requiredOption('--reason <TEXT>', 'why; it is audited')
    .action(async (run: string, callKey: string, options: Common & { reason: string }) =>
      (await parts.budget()).acknowledgeOverrun(screenOf(options), configFor(options), {
        run,
        callKey,
        reason: options.reason,
      }),
    )
  const call = program.command('call').description('single calls to an engine')
  command(call, 'release <RUN> <CALLKEY>', 'give back the hold of a call whose answer was lost')
    .requiredOption('--reason <TEXT>', 'how you know that it was not billed; it is audited')
    .action(async (run: string, callKey: string, options: Common & { reason: string }) =>
      (await parts.budget()).releaseCall(screenOf(options), configFor(options), {
        run,
        callKey,
        reason: options.reason,
      }),
    )
  const rates = program.command('rates').description('how fast tenants may call the engine')
  command(rates, 'set <TENANT>', 'set, or show, what a tenant (id or name) may send a minute')
    .option('--requests <N>', 'requests a minute', wholeNumber)
    .option('--tokens <N>', 'tokens a minute', wholeNumber)
    .option('--none', 'lift the limits that are not named')
    .action(
      async (
        name: string,
        options: Common & { requests?: number; tokens?: number; none?: boolean },
      ) =>
        (await parts.rates()).setTenantRates(screenOf(options), configFor(options), name, options),
    )
  command(program, 'stop-spend', 'stop new engine calls within 2 s; alone: list what is stopped')
    .option('--all', 'of everybody')
    .option('--tenant <TENANT>', 'of a tenant (id or name)')
    .option('--provider <PROVIDER>', 'of a provider')
    .option('--reason <TEXT>', 'why, for those who wonder')
    .option('--resume', 'lift the stop again')
    .action(
      async (
        options: Common & {
          all?: boolean
          tenant?: string
          provider?: string
          reason?: string
          resume?: boolean
        },
      ) => (await parts.stopSpend()).stopSpend(screenOf(options), configFor(options), options),
    )
  const stage = program.command('stage').description('stages that are paused, or do fewer jobs')
  command(stage, 'list', 'list them').action(async (options: Common) =>
    (await parts.stage()).listStages(screenOf(options), configFor(options)),
  )
  const reasons = ['--reason <TEXT>', 'why, for those who wonder'] as const
  type Reasoned = Common & { reason?: string }
  command(stage, 'pause <STAGE>', 'take no more jobs of a stage, or of variant')
    .option(...reasons)
    .action(async (name: string, options: Reasoned) =>
      (await parts.stage()).pauseStage(screenOf(options), configFor(options), name, options),
    )
  command(stage, 'resume <STAGE>', 'take them again')
    .option(...reasons)
    .action(async (name: string, options: Reasoned) =>
      (await parts.stage()).resumeStage(screenOf(options), configFor(options), name, options),
    )
  command(stage, 'limit <STAGE>', 'do fewer jobs of it at once')
    .argument('<N>', 'so many in each process; 0: as many as it is set up for', wholeNumber)
    .option(...reasons)
    .action(async (name: string, jobs: number, options: Reasoned) =>
      (await parts.stage()).limitStage(
        screenOf(options),
        configFor(options),
        { name, jobs },
        options,
      ),
    )
  const provider = program.command('provider').description('providers that refused to be paid')
  command(provider, 'list', 'list them').action(async (options: Common) =>
    (await parts.provider()).listProviders(screenOf(options), configFor(options)),
  )
  command(provider, 'resume <PROVIDER>', 'call a stopped provider again').action(
    async (name: string, options: Common) =>
      (await parts.provider()).resumeStopped(screenOf(options), configFor(options), name),
  )

  const audit = program.command('audit').description('what was done, by whom, in a chain of hashes')
  command(audit, 'export', 'write the chained audit, one JSON object a line, with its heads')
    .option('--tenant <TENANT>', 'of one tenant (id or name; default: of all)')
    .option('--out <FILE>', 'the file (default: standard output)')
    .action(async (options: Common & { tenant?: string; out?: string }) =>
      (await parts.audit()).exportAuditTo(screenOf(options), configFor(options), options),
    )
  command(audit, 'check <FILE>', 'verify an export without the database; ends with 1 if it fails')
    .option('--head <HASH...>', 'heads that were kept elsewhere, which must be in it')
    .action(async (file: string, options: Common & { head?: string[] }) =>
      (await parts.audit()).checkAuditFile(screenOf(options), file, options),
    )

  const usage = program.command('usage').description('what calls cost')
  const usageOf = (name: string, description: string, isDefault = false) =>
    command(usage, name, description, { isDefault })
      .option('--tenant <TENANT>', 'for operators: of a tenant (id or name)')
      .option('--all-tenants', 'for operators: of every tenant')
      .option('--from <DAY>', 'the first UTC day (default: the first of the month)')
      .option('--to <DAY>', 'the last UTC day (default: today)')
  usageOf('show', 'sum up what calls cost (the default)', true)
    .option('--by <LIST>', `by one or several of ${usageDimensions.join(', ')}`, 'specification')
    .option('--spec <SPEC>', 'of one specification (id, external id or name)')
    .option('--csv', 'as CSV')
    .action(
      async (options: Common & UsageOptions & { by?: string; spec?: string; csv?: boolean }) =>
        (await parts.usage()).showUsage(screenOf(options), usageSources(options), options),
    )
  usageOf('waste', 'what was paid for and brought nothing into a document').action(
    async (options: Common & UsageOptions) =>
      (await parts.usage()).showWaste(screenOf(options), usageSources(options), options),
  )
  command(
    usage,
    'reconcile <FILE>',
    'hold a provider’s numbers (CSV or JSON lines: date, model, input_tokens, output_tokens, cost_usd or cost_micro_usd) against ours; ends with 1 when they differ',
  )
    .requiredOption('--provider <PROVIDER>', 'whose they are')
    .option('--from <DAY>', 'the first UTC day (default: that of the file)')
    .option('--to <DAY>', 'the last UTC day (default: that of the file)')
    .option('--threshold <PERCENT>', 'what may differ, of the larger number', '1')
    .action(async (file: string, options: Common & ReconcileOptions) =>
      (await parts.usage()).reconcileUsage(screenOf(options), configFor(options), file, options),
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
  const modules = program.command('modules').description('modules that workflows use by reference')
  command(modules, 'list', 'list registered modules')
    .addOption(new Option('--phase <PHASE>', 'only those of one phase').choices(phaseKinds))
    .action((options: Common & { phase?: PhaseKind }) =>
      listModules(client(options), screenOf(options), options),
    )
  command(modules, 'add <FILE>', 'register the module that a JSON file describes').action(
    (file: string, options: Common) => addModule(client(options), screenOf(options), file),
  )
  command(modules, 'remove <MODULE>', 'remove a module (key or id) that nothing uses').action(
    (text: string, options: Common) => removeModule(client(options), screenOf(options), text),
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
    .option('--dry-run', 'only say what it would cost')
    .action(
      async (
        text: string,
        { dryRun, ...options }: Common & { period?: string; wait?: boolean; dryRun?: boolean },
      ) => {
        if (dryRun) await estimateSpecification(client(options), screenOf(options), text, options)
        else await startRun(client(options), screenOf(options), text, options)
      },
    )
  command(program, 'estimate <SPEC>', 'say what a run would cost, before it starts')
    .option('--period <P>', 'the period, such as 2022-W10 (default: the last complete one)')
    .action((text: string, options: Common & { period?: string }) =>
      estimateSpecification(client(options), screenOf(options), text, options),
    )
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
  command(program, 'rollback <RUN> <VERSION>', 'let a refinement go on from an earlier version')
    .requiredOption('--reason <TEXT>', 'why; it is audited')
    .action((run: string, version: string, options: Common & { reason: string }) =>
      rollBackRun(client(options), screenOf(options), { run, version, reason: options.reason }),
    )
  const checkpoint = program
    .command('checkpoint')
    .description('runs that wait for one more generation to be allowed')
  const chosen = (of: Command) =>
    of.option('--spec <SPEC>', 'of one specification (id)').option('--run <RUN>', 'of one run')
  chosen(command(checkpoint, 'list', 'list checkpoints, the newest first'))
    .addOption(new Option('--state <STATE>', 'only those').choices(checkpointStates))
    .action(async (options: Common & CheckpointChoice & { state?: CheckpointState }) =>
      (await parts.checkpoint()).showCheckpoints(client(options), screenOf(options), options),
    )
  command(
    checkpoint,
    'show <ID>',
    'say what was made, what it cost, and what more it may cost',
  ).action(async (id: string, options: Common) =>
    (await parts.checkpoint()).showCheckpoint(client(options), screenOf(options), id),
  )
  const deciding = (name: 'approve' | 'deny', description: string) =>
    chosen(command(checkpoint, `${name} [ID]`, description))
      .requiredOption('--reason <TEXT>', 'why; it is audited')
      .option(
        '--filter',
        'all that wait (narrowed by --spec, --run): first shows them and their cost',
      )
      .option('--yes', 'with --filter: decide exactly what is shown')
  const decided =
    (decision: 'approve' | 'deny') =>
    async (id: string | undefined, options: Common & DecisionOptions) =>
      (await parts.checkpoint()).decideCheckpoints(
        client(options),
        screenOf(options),
        decision,
        id,
        options,
      )
  deciding('approve', 'allow one more generation, or raise the limits that it would reach')
    .option('--max-depth <N>', 'raise the generations to N instead', wholeNumber)
    .option('--max-children <N>', 'raise the variants to N instead', wholeNumber)
    .option('--micro-usd <N>', 'raise the money to N instead', wholeNumber)
    .option('--tokens <N>', 'raise the tokens to N instead', wholeNumber)
    .action(decided('approve'))
  deciding('deny', 'end the refinement with the best version so far').action(decided('deny'))
  command(checkpoint, 'lend <ID>', 'let another principal decide this one; audited')
    .requiredOption('--to <PRINCIPAL>', 'the principal’s id')
    .action(async (id: string, options: Common & { to: string }) =>
      (await parts.checkpoint()).lendCheckpoint(client(options), screenOf(options), id, options.to),
    )
  command(checkpoint, 'link <ID>', 'for operators: make a signed link at which a principal decides')
    .requiredOption('--tenant <TENANT>', 'whose (id or name)')
    .requiredOption(
      '--principal <PRINCIPAL>',
      'the principal’s id, who must have the right himself',
    )
    .action(async (id: string, options: Common & { tenant: string; principal: string }) =>
      (await parts.checkpoint()).linkCheckpoint(screenOf(options), configFor(options), id, options),
    )
  command(program, 'artifacts <RUN>', 'list a run’s artifacts, or write them into a folder')
    .option('--out <DIR>', 'the folder')
    .action((id: string, options: Common & { out?: string }) =>
      fetchArtifacts(client(options), screenOf(options), parse(runId, id, 'RUN'), options),
    )
  command(program, 'diff <A> <B>', 'what turns version A of a document into version B')
    .option('--html', 'print an HTML page')
    .action(async (a: string, b: string, options: Common & { html?: boolean }) =>
      (await parts.diff()).diffVersions(client(options), screenOf(options), {
        from: parse(versionId, a, 'A'),
        to: parse(versionId, b, 'B'),
        ...options,
      }),
    )
  return program
}

const screenOf = ({ json = false }: Common): Screen => createScreen(json)

const client = ({ data }: Common) => connectClient(data)

/** Tenants ask the API with their key, operators the database. */
const usageSources = (options: Common) => ({
  config: configFor(options),
  client: () => client(options),
})

/** The configuration, with `--data` in the place of ALMANAC_DATA. */
const configFor = ({ data }: Common) =>
  readConfig({ ...readEnvironment(), ...(data === undefined ? {} : { ALMANAC_DATA: data }) })

function catalogueKeyOf(text: string): string {
  const key = catalogueKey.safeParse(text)
  if (key.success) return key.data
  throw new InvalidArgumentError('It must be lower-case words joined by hyphens.')
}

function wholeNumber(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('It must be a whole number.')
}
