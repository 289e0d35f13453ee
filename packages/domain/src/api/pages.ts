import { z } from 'zod'

/** Query parameters of every list: newest first, at most 100 a page. */
export const pageQuery = {
  limit: z.coerce.number().int().min(1).max(100).default(20),
  cursor: z.string().max(200).optional(),
}

/** A page of a list; `nextCursor` is null on the last one. */
export const pageOf = <S extends z.ZodType>(item: S) =>
  z.strictObject({ data: z.array(item), nextCursor: z.nullable(z.string()) })

/** An instant, ISO 8601 in UTC. */
export const instant = z.iso.datetime()

/** `true` or `false` in a query string. */
export const flag = z.enum(['true', 'false']).transform((text) => text === 'true')
