import type { Client } from '@almanac/client'
import { parse, specification, type SpecificationResource } from '@almanac/domain'
import { createReadStream } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { readJson } from '../read-file.ts'

/** The sample's period is fixed, so that its report is the same on every machine. */
export const samplePeriod = '2026-W40'

const example = new URL('../../../../examples/us-regulation/', import.meta.url)
const sampleFile = (name: string) => fileURLToPath(new URL(name, example))

/** The sample specification with its evidence; made and activated when it is missing. */
export async function ensureSample(client: Client): Promise<SpecificationResource> {
  const body = parse(specification, readJson(sampleFile('specification.json')))
  const externalId = body.externalId ?? body.name
  const known = (await client.listSpecifications({ query: { externalId } })).data[0]
  if (known) return known
  const [source = ''] = body.kind === 'report' ? body.sources : []
  await client.importEvidence({
    query: { source },
    body: createReadStream(sampleFile('evidence.ndjson')),
  })
  const { id } = await client.createSpecification({ body })
  return client.activateSpecification({ params: { id } })
}
