import {
  answerCheckpoint,
  getCheckpoint,
  readStanding,
  type CheckpointDetail,
  type Standing,
} from '@almanac/db'
import { AlmanacError, errorEntry, isAlmanacError, plainLine } from '@almanac/domain'
import { urlencoded, type Request, type Response, type Router } from 'express'
import { z } from 'zod'
import { runMiddleware } from '../binding/json-body.ts'
import type { ApiParts } from '../parts.ts'
import { readLinkToken, type LinkFacts } from './checkpoint-link.ts'
import { checkpointPagePolicy, confirmPage, noticePage } from './page.ts'

type Parts = Pick<ApiParts, 'db' | 'linkKeys' | 'wake'>

/** The page of a signed link. Looking at it decides nothing; its form does, once. */
export function bindCheckpointPage(router: Router, parts: Parts): void {
  const readForm = urlencoded({ extended: false, limit: '16kb' })
  router.get('/checkpoints/:id', (request, response) =>
    answering(response, () => show(parts, request, response)),
  )
  router.post('/checkpoints/:id', (request, response) =>
    answering(response, async () => {
      await runMiddleware(readForm, request, response)
      await decide(parts, request, response)
    }),
  )
}

async function show(parts: Parts, request: Request, response: Response): Promise<void> {
  const { token } = request.query
  const link = openLink(parts, request, token)
  const { checkpoint, standing } = await read(parts, link)
  if (checkpoint.state !== 'pending') {
    send(response, 200, noticePage('Nothing to decide', standOf(checkpoint), checkpoint))
    return
  }
  assertMayDecide(standing)
  send(response, 200, confirmPage({ checkpoint, principal: standing.name, token: String(token) }))
}

const form = z.object({
  token: z.string(),
  decision: z.enum(['approve', 'deny']),
  reason: z.string().default(''),
})
const reasonText = plainLine(500)

async function decide(parts: Parts, request: Request, response: Response): Promise<void> {
  const sent = form.safeParse(request.body)
  if (!sent.success) throw badLink()
  const { token, decision, reason } = sent.data
  const link = openLink(parts, request, token)
  const { checkpoint, standing } = await read(parts, link)
  if (standing.suspended) throw new AlmanacError('TENANT_SUSPENDED', {})
  const why = reasonText.safeParse(reason)
  if (!why.success) {
    const problem = why.error.issues[0]?.message ?? 'is not valid'
    const page = { checkpoint, principal: standing.name, token, problem }
    send(response, 422, confirmPage(page))
    return
  }
  // What may not be answered any more, or not by this principal, is refused here, and recorded.
  await answerCheckpoint(
    parts.db,
    link.tenantId,
    { principalId: link.principalId, mayApprove: standing.mayApprove },
    {
      checkpointId: link.checkpointId,
      decision: decision === 'approve' ? 'approved' : 'denied',
      reason: why.data,
      snapshotHash: checkpoint.snapshotHash,
    },
  )
  parts.wake()
  const [title, text] =
    decision === 'approve'
      ? [
          'Approved',
          'One more generation may be made. The decision is recorded; this link is used.',
        ]
      : [
          'Denied',
          'The refinement ends with the best version so far. The decision is recorded; this link is used.',
        ]
  send(response, 200, noticePage(title, text))
}

/** What the token of this address says. Throws CHECKPOINT_LINK_INVALID. */
function openLink({ linkKeys }: Parts, request: Request, token: unknown): LinkFacts {
  const link = readLinkToken(linkKeys, String(request.params['id']), token)
  if (!link) throw badLink()
  return link
}

const badLink = () => new AlmanacError('CHECKPOINT_LINK_INVALID', {})

async function read(
  { db }: Parts,
  { tenantId, checkpointId, principalId, limitsHash }: LinkFacts,
): Promise<{ checkpoint: CheckpointDetail; standing: Standing }> {
  return db.withTenant(tenantId, async (trx) => {
    const checkpoint = await getCheckpoint(trx, tenantId, checkpointId)
    if (checkpoint.limitsHash !== limitsHash) throw badLink()
    return {
      checkpoint,
      standing: await readStanding(trx, tenantId, checkpointId, principalId),
    }
  })
}

function assertMayDecide({ suspended, mayApprove, borrowed }: Standing): void {
  if (suspended) throw new AlmanacError('TENANT_SUSPENDED', {})
  if (!mayApprove && !borrowed)
    throw new AlmanacError('SCOPE_MISSING', {
      needed: 'checkpoint:approve',
      has: 'no such scope any more, and nobody has lent it for this checkpoint',
    })
}

const standOf = ({ state, decision, decidedBy, decidedAt, expiresAt }: CheckpointDetail): string =>
  state === 'expired'
    ? `This checkpoint expired at ${expiresAt}; the refinement ends with the best version that it had.`
    : `This checkpoint was ${decision ?? 'decided'} by ${decidedBy ?? 'the system'} at ${decidedAt ?? expiresAt}.`

/** Errors of the page are pages too; one that is not in the table goes where all of them go. */
async function answering(response: Response, work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (error) {
    if (!isAlmanacError(error)) throw error
    const { status, title, remedy } = errorEntry(error.code)
    if (status >= 500) throw error
    send(response, status, noticePage(title, `${error.message} ${remedy}`))
  }
}

function send(response: Response, status: number, page: string): void {
  response.setHeader('content-security-policy', checkpointPagePolicy)
  response.setHeader('cache-control', 'no-store')
  response.setHeader('content-type', 'text/html; charset=utf-8')
  response.status(status).end(page)
}
