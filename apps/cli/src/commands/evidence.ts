import type { ImportResult } from '@almanac/domain'
import type { Client } from '@almanac/client'
import { SingleBar } from 'cli-progress'
import { createReadStream, statSync } from 'node:fs'
import { fileError } from '../read-file.ts'
import type { Screen } from '../screen.ts'

/** `almanac evidence import FILE --source NAME`: streams the file, shows a bar, reports bad lines. */
export async function importEvidence(
  client: Client,
  screen: Screen,
  file: string,
  { source }: { source: string },
): Promise<ImportResult> {
  const bytes = sizeOf(file)
  const bar = screen.interactive
    ? new SingleBar({ format: 'Importing {bar} {percentage} %', hideCursor: true })
    : undefined
  bar?.start(bytes, 0)
  try {
    const body = readChunks(file, (count) => bar?.increment(count))
    const result = await client.importEvidence({ query: { source }, body })
    bar?.update(bytes)
    bar?.stop()
    report(screen, file, result)
    return result
  } finally {
    bar?.stop()
  }
}

function sizeOf(file: string): number {
  try {
    const stat = statSync(file)
    if (stat.isDirectory()) throw Object.assign(new Error('folder'), { code: 'EISDIR' })
    return stat.size
  } catch (error) {
    throw fileError(file, error)
  }
}

async function* readChunks(
  file: string,
  seen: (bytes: number) => void,
): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of createReadStream(file, { highWaterMark: 256 * 1024 })) {
      seen((chunk as Uint8Array).length)
      yield chunk as Uint8Array
    }
  } catch (error) {
    throw fileError(file, error)
  }
}

function report(screen: Screen, file: string, result: ImportResult): void {
  screen.say(
    `${file}: ${result.lines} lines → ${result.new} new, ${result.changed} changed, ${result.unchanged} unchanged, ${result.refused} refused (source "${result.source}")`,
  )
  for (const { line, reason } of result.problems) screen.warn(`  line ${line}: ${reason}`)
  const more = result.refused - result.problems.length
  if (more > 0) screen.warn(`  … and ${more} more refused lines`)
  screen.result(result)
}
