import type { Client } from '@almanac/client'
import type { VersionId } from '@almanac/domain'
import { diffPage, diffText } from '@almanac/pipeline'
import type { Screen } from '../screen.ts'

/** `almanac diff A B`: what turns version A into B, as lines, as JSON, or as an HTML page. */
export async function diffVersions(
  client: Client,
  screen: Screen,
  { from, to, html = false }: { from: VersionId; to: VersionId; html?: boolean },
): Promise<void> {
  const compared = await client.diffVersions({ params: { id: from, other: to } })
  screen.say(html ? diffPage(compared) : diffText(compared).trimEnd())
  screen.result(compared)
}
