import { AlmanacError, specificationId, type SpecificationResource } from '@almanac/domain'
import type { Client } from '@almanac/client'

/** A specification by id, external id, or exact name, as people name it. Throws NOT_FOUND. */
export async function findSpecification(
  client: Client,
  text: string,
): Promise<SpecificationResource> {
  const id = specificationId.safeParse(text)
  if (id.success) return client.getSpecification({ params: { id: id.data } })
  const { data } = await client.listSpecifications({ query: { externalId: text } })
  if (data[0]) return data[0]
  for (let cursor: string | undefined; ;) {
    const page = await client.listSpecifications({
      query: { limit: 100, ...(cursor ? { cursor } : {}) },
    })
    const named = page.data.find(({ body }) => body.name === text)
    if (named) return named
    if (!page.nextCursor) throw new AlmanacError('NOT_FOUND', { what: `specification "${text}"` })
    cursor = page.nextCursor
  }
}
