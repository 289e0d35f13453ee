import type { Client } from '@almanac/client'
import { parse, runId, versionId } from '@almanac/domain'
import type { Screen } from '../screen.ts'

/** `almanac rollback RUN VERSION`: an earlier version of the refinement goes on. Throws NOT_FOUND, STATE_CONFLICT. */
export async function rollBackRun(
  client: Client,
  screen: Screen,
  { run, version, reason }: { run: string; version: string; reason: string },
): Promise<void> {
  const done = await client.rollBackRun({
    params: { id: parse(runId, run, 'RUN') },
    body: { versionId: parse(versionId, version, 'VERSION'), reason },
  })
  screen.say(`${done.runId} goes on from ${done.versionId}.`)
  screen.result(done)
}
