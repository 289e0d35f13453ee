import { checkpointLink } from '@almanac/api'
import type { Client } from '@almanac/client'
import { getCheckpoint, readStanding } from '@almanac/db'
import {
  AlmanacError,
  checkpointId,
  childrenText,
  parse,
  principalId,
  runId,
  specificationId,
  usdText,
  type CheckpointDetailResource,
  type CheckpointFilterInput,
  type CheckpointResource,
  type CheckpointState,
} from '@almanac/domain'
import { createLogger, type Config } from '@almanac/runtime'
import { table, type Screen } from '../screen.ts'
import { withDatabase } from '../system/database.ts'
import { linkKeysOf } from '../system/link-keys.ts'
import { findTenant } from './operators.ts'

/** What `--spec` and `--run` narrow a list or a decision to, as typed. */
export interface CheckpointChoice {
  spec?: string
  run?: string
}

const filterOf = ({ spec, run }: CheckpointChoice): CheckpointFilterInput => ({
  ...(spec === undefined ? {} : { specificationId: parse(specificationId, spec, '--spec') }),
  ...(run === undefined ? {} : { runId: parse(runId, run, '--run') }),
})

/** `almanac checkpoint list`: checkpoints by state, the newest first. */
export async function showCheckpoints(
  client: Client,
  screen: Screen,
  { state, ...choice }: CheckpointChoice & { state?: CheckpointState },
): Promise<void> {
  const found: CheckpointResource[] = []
  for (let cursor: string | undefined; ;) {
    const page = await client.listCheckpoints({
      query: {
        limit: 100,
        ...filterOf(choice),
        ...(state ? { state } : {}),
        ...(cursor ? { cursor } : {}),
      },
    })
    found.push(...page.data)
    if (!page.nextCursor) break
    cursor = page.nextCursor
  }
  if (found.length === 0) screen.say('No run waits, or has waited, at a checkpoint.')
  else
    screen.say(
      table([
        ['CHECKPOINT', 'STATE', 'RUN', 'GENERATION', 'MAY COST', 'EXPIRES'],
        ...found.map((one) => [
          one.id,
          one.decision ?? one.state,
          one.runId,
          `${one.generation}: ${childrenText(one)}`,
          `$${usdText(one.estimate.microUsd)}`,
          one.expiresAt,
        ]),
      ]),
    )
  screen.result(found)
}

/** `almanac checkpoint show ID`: what was made, what it cost, and what more it may cost. */
export async function showCheckpoint(client: Client, screen: Screen, id: string): Promise<void> {
  const found = await client.getCheckpoint({ params: { id: parse(checkpointId, id, 'ID') } })
  tell(screen, found)
  screen.result(found)
}

function tell(screen: Screen, found: CheckpointDetailResource): void {
  const { best, spent, estimate, limits } = found
  const lines: [string, string][] = [
    ['state', found.decision ? `${found.decision} by ${found.decidedBy ?? 'system'}` : found.state],
    ['of', `${found.specificationName}, ${found.runId}, asked for by ${found.requestedBy}`],
    ['best so far', `${best.label} ${best.versionId}, score ${best.score}`],
    ['cost so far', amount(spent)],
    ['asks for', `generation ${found.generation}, ${childrenText(found)}: ${amount(estimate)}`],
    ['limits', `${limits.maxDepth} generations, ${limits.maxChildren} variants, ${amount(limits)}`],
    ['would reach', found.reached.map((r) => `${r.after} of ${r.allowed} ${r.limit}`).join('; ')],
    ['expires', found.expiresAt],
  ]
  screen.say(found.id)
  screen.say(table(lines))
}

const amount = ({ microUsd, tokens }: { microUsd: number; tokens: number }): string =>
  `$${usdText(microUsd)} and ${tokens} tokens`

export interface DecisionOptions extends CheckpointChoice {
  reason: string
  /** Decide all pending ones that `--spec` and `--run` leave, instead of one. */
  filter?: boolean
  /** With `--filter`: decide what the preview shows; without it, only show it. */
  yes?: boolean
  /** With `approve`: raise these limits instead. */
  maxDepth?: number
  maxChildren?: number
  microUsd?: number
  tokens?: number
}

/** `almanac checkpoint approve|deny [ID]`: one checkpoint, or with `--filter` all that are shown before. */
export async function decideCheckpoints(
  client: Client,
  screen: Screen,
  decision: 'approve' | 'deny',
  id: string | undefined,
  options: DecisionOptions,
): Promise<void> {
  const { reason, filter = false, spec, run, maxDepth, maxChildren, microUsd, tokens } = options
  if ((id === undefined) !== filter)
    throw refusal('ID', 'must be there, or --filter in its place, and not both')
  const limits = Object.fromEntries(
    Object.entries({ maxDepth, maxChildren, microUsd, tokens }).filter(([, n]) => n !== undefined),
  )
  const raises = Object.keys(limits).length > 0
  if (id === undefined) {
    // What is not meant for many must not be dropped: it would approve where limits were to be raised.
    if (raises) throw refusal('--filter', 'cannot raise limits: raise them at one checkpoint')
    return decideMany(client, screen, decision, options)
  }
  if (spec !== undefined || run !== undefined)
    throw refusal('ID', 'names one checkpoint: leave out --spec and --run')
  const decided = await client.decideCheckpoint({
    params: { id: parse(checkpointId, id, 'ID') },
    body: { decision, reason, ...(raises ? { limits } : {}) },
  })
  screen.say(
    raises
      ? `The limits are raised; ${decided.runId} goes on, and asks again only where it has to.`
      : `${decided.id} is ${decided.decision ?? decided.state}.`,
  )
  screen.result(decided)
}

const refusal = (field: string, message: string) =>
  new AlmanacError('INPUT_INVALID', { issues: [{ field, message }] })

async function decideMany(
  client: Client,
  screen: Screen,
  decision: 'approve' | 'deny',
  { reason, yes = false, ...choice }: DecisionOptions,
): Promise<void> {
  const preview = await client.decideCheckpoints({ body: { filter: filterOf(choice) } })
  if (preview.kind !== 'preview') throw new Error('a filter was answered with a decision')
  screen.say(
    `${preview.count} checkpoints wait; approving them may cost ${amount(preview.estimate)}.`,
  )
  for (const one of preview.checkpointIds) screen.say(`  ${one}`)
  if (!yes || preview.count === 0) {
    if (preview.count > 0)
      screen.say(`Nothing is decided. With --yes, exactly these are: ${decision}.`)
    screen.result(preview)
    return
  }
  const done = await client.decideCheckpoints({ body: { token: preview.token, decision, reason } })
  if (done.kind !== 'decided') throw new Error('a token was answered with a preview')
  screen.say(`${done.decided} decided, ${done.refused} refused.`)
  for (const { id, outcome, detail } of done.results)
    if (outcome === 'refused') screen.warn(`${id}: ${detail ?? outcome}`)
  screen.result(done)
  if (done.refused > 0) process.exitCode = 1
}

/** `almanac checkpoint lend ID --to PRINCIPAL`: the right to decide this one; audited. */
export async function lendCheckpoint(
  client: Client,
  screen: Screen,
  id: string,
  to: string,
): Promise<void> {
  const loan = await client.lendCheckpoint({
    params: { id: parse(checkpointId, id, 'ID') },
    body: { principalId: parse(principalId, to, '--to') },
  })
  screen.say(`${loan.principalId} may decide ${loan.checkpointId}, and no other.`)
  screen.result(loan)
}

/**
 * `almanac checkpoint link ID --tenant T --principal P`, for operators: a signed link at which P decides.
 * P must have the right himself: a link gives none. Throws NOT_FOUND, SCOPE_MISSING, CONFIG_INVALID.
 */
export async function linkCheckpoint(
  screen: Screen,
  config: Config,
  id: string,
  options: { tenant: string; principal: string },
): Promise<void> {
  const checkpoint = parse(checkpointId, id, 'ID')
  const principal = parse(principalId, options.principal, '--principal')
  const keys = linkKeysOf(config)
  if (keys.length === 0)
    throw new AlmanacError('CONFIG_INVALID', {
      issues: [
        {
          field: 'ALMANAC_SEAL_KEYS',
          message: 'must be set for links, or ALMANAC_DATA must be a folder that can be written',
        },
      ],
    })
  const log = createLogger(config, 'stderr')
  const facts = await withDatabase(config, log, async ({ db }) => {
    const { id: tenantId } = await db.withSystem('operators', (trx) =>
      findTenant(trx, options.tenant),
    )
    return db.withTenant(tenantId, async (trx) => {
      const { expiresAt, limitsHash, state } = await getCheckpoint(trx, tenantId, checkpoint)
      const standing = await readStanding(trx, tenantId, checkpoint, principal)
      if (state !== 'pending')
        throw new AlmanacError('CHECKPOINT_CLOSED', { checkpoint, because: `it is ${state}` })
      if (!standing.mayApprove && !standing.borrowed)
        throw new AlmanacError('SCOPE_MISSING', {
          needed: 'checkpoint:approve',
          has: `no such scope in any key of ${principal}, and nobody has lent it for this checkpoint`,
        })
      const link = { tenantId, checkpointId: checkpoint, principalId: principal }
      return { ...link, expiresAt, limitsHash }
    })
  })
  const url = new URL(checkpointLink(keys, facts), config.client.url).href
  screen.say(url)
  screen.say(`It is for ${principal} alone, works once, and ends at ${facts.expiresAt}.`)
  screen.result({ url, expiresAt: facts.expiresAt, principalId: principal })
}
