import { auditLineText, checkAudit, exportAudit, findTenants } from '@almanac/db'
import { createLogger, type Config } from '@almanac/runtime'
import { createReadStream, createWriteStream } from 'node:fs'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { fileError } from '../read-file.ts'
import type { Screen } from '../screen.ts'
import { withDatabase } from '../system/database.ts'
import { findTenant } from './operators.ts'

/**
 * `almanac audit export`: the chained audit of one tenant or of all, one JSON object a line, with hashes
 * and heads; into a file, or to standard output.
 */
export async function exportAuditTo(
  screen: Screen,
  config: Config,
  { tenant, out }: { tenant?: string; out?: string },
): Promise<void> {
  const log = createLogger(config, 'stderr')
  const heads = await withDatabase(config, log, ({ db }) =>
    db.withSystem('operators', async (trx) => {
      const tenants =
        tenant === undefined ? await findTenants(trx) : [await findTenant(trx, tenant)]
      const written: { tenantId: string; seq: number; hash: string; unlinked: number }[] = []
      async function* lines() {
        for (const { id } of tenants)
          for await (const line of exportAudit(trx, id)) {
            if (line.type === 'head') {
              const { tenantId, seq, hash, unlinked } = line
              written.push({ tenantId, seq, hash, unlinked })
            }
            yield `${auditLineText(line)}\n`
          }
      }
      if (out === undefined) for await (const line of lines()) process.stdout.write(line)
      else await pipeline(Readable.from(lines()), createWriteStream(out, { mode: 0o600 }))
      return written
    }),
  )
  // Without a file, standard output is the export itself.
  if (out === undefined) return
  for (const { tenantId, seq, hash, unlinked } of heads)
    screen.say(`${tenantId}  ${seq} links, head ${hash || 'none'}, ${unlinked} not linked yet`)
  screen.say(
    `Keep the heads elsewhere: almanac audit check ${out} --head HASH holds them against it.`,
  )
  screen.result({ file: out, heads })
}

/** `almanac audit check FILE`: verifies an export without the database; ends with 1 when it does not hold. */
export async function checkAuditFile(
  screen: Screen,
  file: string,
  { head = [] }: { head?: string[] },
): Promise<void> {
  const input = createReadStream(file, 'utf8')
  const opened = new Promise<void>((resolve, reject) => {
    input.once('open', () => resolve()).once('error', reject)
  })
  await opened.catch((cause: unknown) => {
    throw fileError(file, cause)
  })
  const check = await checkAudit(linesOf(input), head)
  for (const { line, what } of check.findings)
    screen.say(`✕ ${line === null ? '' : `line ${line}: `}${what}`)
  for (const { tenantId, seq, hash } of check.heads)
    screen.say(`${tenantId}  ${seq} links, head ${hash || 'none'}`)
  screen.say(
    check.ok
      ? `The chain holds: ${check.links} links; ${check.roots} refinements follow from their acts.`
      : `${check.findingCount} findings: this is not what was recorded.`,
  )
  screen.result(check)
  if (!check.ok) process.exitCode = 1
}

/** Lines end with a line feed alone: texts in them may hold every other separator. */
async function* linesOf(input: AsyncIterable<string>): AsyncGenerator<string> {
  let rest = ''
  for await (const chunk of input) {
    const lines = `${rest}${chunk}`.split('\n')
    rest = lines.pop() ?? ''
    yield* lines
  }
  if (rest !== '') yield rest
}
