import {
  activateSpecification,
  changeSpecification,
  createSpecification,
  getSpecification,
  grantPeriod,
  listPeriods,
  listSpecifications,
  stopSpecification,
} from '@almanac/db'
import type { SpecificationResource, specificationRoutes } from '@almanac/domain'
import type { Handlers } from '../binding/route-handler.ts'
import type { ApiParts } from '../parts.ts'
import { readIfMatch } from './if-match.ts'
import { specificationIssues } from './specification-issues.ts'
import { upcomingPeriods } from './upcoming-periods.ts'

/** The handlers of `/v1/specifications`. */
export const specificationHandlers = ({
  db,
  kinds,
  strategies,
  urlOf,
  wake,
}: ApiParts): Handlers<keyof typeof specificationRoutes> => ({
  createSpecification: {
    async change(trx, { caller: { tenantId, principalId }, body }) {
      const created = await createSpecification(trx, tenantId, principalId, body)
      const location = urlOf(`/v1/specifications/${created.id}`)
      return { ...answer(created), headers: { location, etag: etagOf(created) } }
    },
  },
  listSpecifications: async ({ caller: { tenantId }, query }) => ({
    body: await db.withTenant(tenantId, (trx) => listSpecifications(trx, tenantId, query)),
  }),
  getSpecification: async ({ caller: { tenantId }, params: { id }, query: { revision } }) =>
    answer(await db.withTenant(tenantId, (trx) => getSpecification(trx, tenantId, id, revision))),
  changeSpecification: async ({ caller, params: { id }, body, request }) => {
    const { tenantId, principalId } = caller
    const revision = readIfMatch(request.get('if-match'))
    const issuesOf = specificationIssues({ kinds, strategies })
    const changed = await db.withTenant(tenantId, (trx) =>
      changeSpecification(trx, tenantId, principalId, id, revision, body, issuesOf),
    )
    return answer(changed)
  },
  activateSpecification: async ({ caller: { tenantId, principalId }, params: { id } }) =>
    answer(
      await db.withTenant(tenantId, (trx) => activateSpecification(trx, tenantId, principalId, id)),
    ),
  pauseSpecification: async ({ caller, params: { id }, body: { reason } }) => {
    const { tenantId, principalId } = caller
    const paused = await db.withTenant(tenantId, (trx) =>
      stopSpecification(trx, tenantId, principalId, id, 'paused', reason),
    )
    // Its queued runs are blocked when their turn comes: now.
    wake()
    return answer(paused)
  },
  archiveSpecification: async ({ caller: { tenantId, principalId }, params: { id } }) => {
    const archived = await db.withTenant(tenantId, (trx) =>
      stopSpecification(trx, tenantId, principalId, id, 'archived', ''),
    )
    wake()
    return answer(archived)
  },
  listPeriods: async ({ caller: { tenantId }, params: { id }, query }) => ({
    body: await db.withTenant(tenantId, async (trx) => {
      await getSpecification(trx, tenantId, id)
      return listPeriods(trx, tenantId, id, query)
    }),
  }),
  getSchedule: async ({ caller: { tenantId }, params: { id } }) => ({
    body: upcomingPeriods(
      await db.withTenant(tenantId, (trx) => getSpecification(trx, tenantId, id)),
    ),
  }),
  grantPeriod: async ({ caller: { tenantId, principalId }, params: { id }, body: asked }) => ({
    body: await db.withTenant(tenantId, async (trx) => {
      const { body } = await getSpecification(trx, tenantId, id)
      return grantPeriod(trx, tenantId, principalId, id, body, asked)
    }),
  }),
})

const etagOf = ({ revision }: SpecificationResource): string => `"${revision}"`

const answer = (body: SpecificationResource) => ({ body, headers: { etag: etagOf(body) } })
