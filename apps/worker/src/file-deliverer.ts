import { mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import {
  deliveryId,
  fileEndingOf,
  formatName,
  parse,
  runId,
  specificationId,
  tenantId,
  type Json,
} from '@almanac/domain'
import type { Content, DueDelivery } from '@almanac/pipeline'
import { z } from 'zod'
import type { Deliverer } from './deliverer.ts'

/** What becomes part of a path. Anything that is not exactly such an id is refused. */
const place = z.object({
  id: deliveryId,
  tenantId,
  specificationId,
  runId,
  periodKey: z.nullable(z.string().regex(/^\d{4}-(?:W\d{2}|\d{2}(?:-\d{2})?)$/)),
  artifacts: z.array(
    z.object({
      format: formatName,
      sha256: z.string().regex(/^[0-9a-f]{64}$/),
      bytes: z.int().min(0),
    }),
  ),
})

/**
 * Writes each delivery into a folder: `<dir>/<tenant>/<specification>/<period, or run>/` with
 * `report.json`, `report.md`, `report.html` and, last of all, `delivery.json`, which names them with
 * their hashes. Every file appears whole or not at all; delivering again writes the same bytes.
 */
export const fileDeliverer = ({
  dir,
  content,
}: {
  dir: string
  content: Pick<Content, 'get'>
}): Deliverer => ({
  deliver: async (delivery) => {
    const { id, artifacts, periodKey, ...ids } = parse(place, delivery, 'delivery')
    const folder = folderOf(dir, delivery)
    await mkdir(folder, { recursive: true })
    const files = await Promise.all(
      artifacts.map(async ({ format, sha256, bytes }) => {
        const name = `report.${fileEndingOf(format)}`
        await writeWhole(folder, name, id, await content.get(delivery.tenantId, sha256))
        return { name, format, sha256, bytes }
      }),
    )
    const note = { id, ...ids, periodKey, classification: 'non_operational_output', files }
    await writeWhole(folder, 'delivery.json', id, `${JSON.stringify(note, null, 2)}\n`)
    return { folder } satisfies Json
  },
})

function folderOf(dir: string, delivery: DueDelivery): string {
  const { tenantId, specificationId, periodKey, runId } = delivery
  return join(resolve(dir), tenantId, specificationId, periodKey ?? runId)
}

let writes = 0

/** Writes beside and renames, so that a reader never sees a part; two tries at once do not meet. */
async function writeWhole(folder: string, name: string, id: string, text: string): Promise<void> {
  const unfinished = join(folder, `.${name}.${id}.${process.pid}-${(writes += 1)}`)
  try {
    await writeFile(unfinished, text, { flush: true })
    await rename(unfinished, join(folder, name))
  } catch (cause) {
    await rm(unfinished, { force: true })
    throw cause
  }
}
