import { AlmanacError, fileEndingOf, type ArtifactResource, type RunId } from '@almanac/domain'
import type { Client } from '@almanac/client'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { table, type Screen } from '../screen.ts'

/** `almanac artifacts RUN --out DIR`: lists a run's artifacts, and writes them into a folder. */
export async function fetchArtifacts(
  client: Client,
  screen: Screen,
  id: RunId,
  { out }: { out?: string },
): Promise<void> {
  const { data } = await client.listRunArtifacts({ params: { id } })
  const written =
    out === undefined ? [] : await Promise.all(data.map((one) => write(client, one, out)))
  screen.say(
    table([
      ['FORMAT', 'BYTES', 'SHA-256', 'STANDING', ...(out === undefined ? [] : ['FILE'])],
      ...data.map(({ format, bytes, sha256, standing }, i) => [
        format,
        String(bytes),
        sha256,
        standing,
        ...(written[i] ? [written[i]] : []),
      ]),
    ]),
  )
  screen.result(data)
}

async function write(
  client: Client,
  { id, format }: ArtifactResource,
  out: string,
): Promise<string> {
  const { bytes } = await client.getArtifact({ params: { id } })
  const file = join(out, `report.${fileEndingOf(format)}`)
  try {
    mkdirSync(out, { recursive: true })
    writeFileSync(file, bytes)
  } catch (cause) {
    const reason = 'it cannot be written to'
    throw new AlmanacError('FOLDER_UNUSABLE', { folder: out, reason }, { cause })
  }
  return file
}
