import { z } from 'zod'
import { httpUrl } from '../evidence.ts'
import { sourceId } from '../ids.ts'
import { plainLine } from '../plain-text.ts'
import { instant, pageOf, pageQuery } from './pages.ts'
import { defineRoute } from './route.ts'

const fieldName = z.string().min(1).max(100)

/**
 * Which field of a source's lines holds what. A field that is named nowhere becomes an attribute when
 * `attributes` lists it; the rest is dropped.
 */
export const fieldMapping = z.strictObject({
  itemId: fieldName.default('id'),
  publishedAt: fieldName.default('publishedAt'),
  title: fieldName.default('title'),
  text: fieldName.default('text'),
  url: fieldName.default('url'),
  withdrawn: fieldName.default('withdrawn'),
  /** Fields kept as attributes; `*` keeps every further field that holds a text, number or boolean. */
  attributes: z.union([z.literal('*'), z.array(fieldName).max(50)]).default('*'),
})
export type FieldMapping = z.output<typeof fieldMapping>

export const sourceResource = z
  .strictObject({
    id: sourceId,
    name: z.string(),
    mapping: fieldMapping,
    items: z.int(),
    newestPublishedAt: z.nullable(instant),
    createdAt: instant,
  })
  .meta({ id: 'Source' })

/** What an import did: every line is counted once. */
export const importResult = z
  .strictObject({
    source: z.string(),
    lines: z.int(),
    new: z.int(),
    changed: z.int(),
    unchanged: z.int(),
    refused: z.int(),
    /** The first 100 refused lines. */
    problems: z.array(z.strictObject({ line: z.int(), reason: z.string() })),
  })
  .meta({ id: 'ImportResult' })
export type ImportResult = z.output<typeof importResult>

export const evidenceResource = z
  .strictObject({
    id: z.string(),
    source: z.string(),
    itemId: z.string(),
    revision: z.int(),
    hash: z.string(),
    publishedAt: instant,
    title: z.string(),
    text: z.string(),
    url: z.nullable(httpUrl),
    attributes: z.record(z.string(), z.string()),
    withdrawn: z.boolean(),
  })
  .meta({ id: 'Evidence' })

const tag = 'Evidence'

export const evidenceRoutes = {
  createSource: defineRoute({
    method: 'post',
    path: '/v1/sources',
    tag,
    summary: 'Create a source, with its field mapping',
    scope: 'evidence:write',
    body: z.strictObject({ name: plainLine(80), mapping: fieldMapping.prefault({}) }),
    status: 201,
    response: sourceResource,
    idempotent: true,
    errors: ['INPUT_INVALID', 'NAME_TAKEN'],
  }),
  listSources: defineRoute({
    method: 'get',
    path: '/v1/sources',
    tag,
    summary: 'List sources',
    scope: 'evidence:read',
    query: z.strictObject(pageQuery),
    response: pageOf(sourceResource),
  }),
  importEvidence: defineRoute({
    method: 'post',
    path: '/v1/evidence',
    tag,
    summary: 'Import items, one JSON object a line; bad lines are reported, good ones kept',
    scope: 'evidence:write',
    query: z.strictObject({ source: plainLine(80) }),
    takes: 'ndjson',
    response: importResult,
    errors: ['INPUT_INVALID', 'BODY_TOO_LARGE', 'MEDIA_TYPE_UNSUPPORTED'],
  }),
  listEvidence: defineRoute({
    method: 'get',
    path: '/v1/evidence',
    tag,
    summary: 'List items of a source, newest first',
    scope: 'evidence:read',
    query: z.strictObject({
      ...pageQuery,
      source: plainLine(80).optional(),
      from: instant.optional(),
      to: instant.optional(),
    }),
    response: pageOf(evidenceResource),
  }),
} as const
