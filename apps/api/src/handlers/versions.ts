import {
  ancestors,
  bestKnown,
  descendants,
  getVersion,
  listRunArtifacts,
  previous,
  type EvaluatedVersion,
} from '@almanac/db'
import { AlmanacError, changeReport, type versionRoutes, type VersionDiff } from '@almanac/domain'
import { changesBetween, diffPage, diffText } from '@almanac/pipeline'
import { z } from 'zod'
import type { Asked, BytesAnswer, Handlers, JsonAnswer } from '../binding/route-handler.ts'
import type { ApiParts } from '../parts.ts'
import { artifactPolicy } from './artifacts.ts'

type Operations = keyof typeof versionRoutes

/** The handlers of `/v1/versions`, and of what is new in a run's document. */
export const versionHandlers = (parts: ApiParts): Handlers<Operations> => {
  const { db, content } = parts
  return {
    getVersion: ({ caller: { tenantId }, params: { id } }) =>
      db.withTenant(tenantId, async (trx) => {
        const { version, evaluation } = await getVersion(trx, tenantId, id)
        const before = await previous(trx, tenantId, id)
        const best = await bestKnown(trx, tenantId, version.documentId)
        const above = await ancestors(trx, tenantId, id)
        const below = await descendants(trx, tenantId, id)
        return {
          body: {
            ...version,
            evaluation,
            previousId: before?.id ?? null,
            ancestorIds: above.map((one) => one.id),
            descendantIds: below.map((one) => one.id),
            bestKnown: best ? { id: best.id, effectiveScore: best.effectiveScore } : null,
          },
        }
      }),
    diffVersions: (asked) => showDiff(parts, asked),
    getRunChanges: async ({ caller: { tenantId }, params: { id } }) => {
      const artifacts = await db.withTenant(tenantId, (trx) => listRunArtifacts(trx, tenantId, id))
      const json = artifacts.find(({ format }) => format === 'json')
      const stored: unknown = json && JSON.parse(await content.get(tenantId, json.sha256))
      const { changes } = z.object({ changes: changeReport.optional() }).parse(stored ?? {})
      if (!changes) throw new AlmanacError('NOT_FOUND', { what: `change report of ${id}` })
      return { body: changes }
    },
  }
}

async function showDiff(
  { db, content, kinds }: ApiParts,
  { caller: { tenantId }, params: { id, other }, query, request }: Asked<'diffVersions'>,
): Promise<JsonAnswer<VersionDiff> | BytesAnswer> {
  const [from, to] = await db.withTenant(tenantId, async (trx) => [
    await getVersion(trx, tenantId, id),
    await getVersion(trx, tenantId, other),
  ])
  const stored = async ({ version }: EvaluatedVersion) => ({
    content: await content.get(tenantId, version.contentHash),
    package: await content.get(tenantId, version.packageHash),
  })
  const [before, after] = await Promise.all([stored(from), stored(to)])
  const diff: VersionDiff = {
    from: from.version,
    to: to.version,
    scoreDelta: difference(from.version.score, to.version.score),
    metrics: from.evaluation.metrics.flatMap(({ name, value }) => {
      const now = to.evaluation.metrics.find((metric) => metric.name === name)
      return now && now.value !== value ? [{ name, before: value, after: now.value }] : []
    }),
    ...changesBetween(kinds, before, after),
  }
  const accepted = request.accepts(['application/json', 'text/html', 'text/plain'])
  const format = query.format ?? formats[accepted || 'application/json'] ?? 'json'
  if (format === 'json') return { body: diff, headers: { vary: 'Accept' } }
  const page = format === 'html' ? diffPage(diff) : diffText(diff)
  return {
    bytes: Buffer.from(page, 'utf8'),
    headers: {
      vary: 'Accept',
      // What two versions say never changes, but who may read them does.
      'cache-control': 'private, no-cache',
      'content-type': `text/${format === 'html' ? 'html' : 'plain'}; charset=utf-8`,
      'content-security-policy': artifactPolicy,
      'x-frame-options': 'SAMEORIGIN',
    },
  }
}

const formats: Record<string, 'json' | 'html' | 'text'> = {
  'application/json': 'json',
  'text/html': 'html',
  'text/plain': 'text',
}

/** Scores have four decimals, and so has their difference. */
const difference = (before: number, after: number): number =>
  Math.round((after - before) * 10_000) / 10_000
