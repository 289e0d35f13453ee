import { checkpointId, principalId, tenantId } from '@almanac/domain'
import { z } from 'zod'
import { readToken, signToken } from './signed-token.ts'

/** What a link is bound to: one checkpoint as it was asked for, and the one principal who may use it. */
const linkFacts = z.strictObject({
  tenantId,
  checkpointId,
  principalId,
  /** ISO 8601: the checkpoint's own end. */
  expiresAt: z.iso.datetime(),
  limitsHash: z.string(),
})
export type LinkFacts = z.output<typeof linkFacts>

/** The path of the page at which a principal decides a checkpoint, without a key of his own at hand. */
export function checkpointLink(keys: readonly Uint8Array[], facts: LinkFacts): string {
  const token = signToken(keys, 'checkpoint link', linkFacts.parse(facts))
  return `/checkpoints/${facts.checkpointId}?token=${token}`
}

/** What a link's token says; undefined when it was not signed here, or is of another checkpoint. */
export function readLinkToken(
  keys: readonly Uint8Array[],
  checkpoint: string,
  token: unknown,
): LinkFacts | undefined {
  if (typeof token !== 'string') return undefined
  const facts = readToken(keys, 'checkpoint link', linkFacts, token)
  return facts?.checkpointId === checkpoint ? facts : undefined
}
