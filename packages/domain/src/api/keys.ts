import { z } from 'zod'
import { keyScope } from '../access.ts'
import { entitlement } from '../entitlement.ts'
import { keyId, principalId, tenantId } from '../ids.ts'
import { plainLine } from '../plain-text.ts'
import { instant, pageOf, pageQuery } from './pages.ts'
import { defineRoute } from './route.ts'

export const keyResource = z
  .strictObject({
    id: keyId,
    name: z.string(),
    principalId,
    scopes: z.array(keyScope),
    createdAt: instant,
    expiresAt: z.nullable(instant),
    revokedAt: z.nullable(instant),
    lastUsedAt: z.nullable(instant),
  })
  .meta({ id: 'Key' })

const tag = 'Keys'

export const keyRoutes = {
  whoAmI: defineRoute({
    method: 'get',
    path: '/v1/me',
    tag,
    summary: 'The tenant, principal and scopes of this key, and what the tenant has bought',
    scope: 'runs:read',
    response: z.strictObject({
      tenantId,
      tenantName: z.string(),
      principalId,
      scopes: z.array(keyScope),
      entitlement,
    }),
  }),
  createKey: defineRoute({
    method: 'post',
    path: '/v1/keys',
    tag,
    summary: 'Create a key; the secret is shown this once',
    scope: 'keys:write',
    body: z.strictObject({
      name: plainLine(80),
      scopes: z.array(keyScope).min(1),
      expiresAt: instant.optional(),
    }),
    status: 201,
    response: keyResource.extend({ secret: z.string() }).meta({ id: 'NewKey' }),
    errors: ['INPUT_INVALID', 'SCOPE_MISSING'],
  }),
  listKeys: defineRoute({
    method: 'get',
    path: '/v1/keys',
    tag,
    summary: 'List keys',
    scope: 'keys:write',
    query: z.strictObject(pageQuery),
    response: pageOf(keyResource),
  }),
  revokeKey: defineRoute({
    method: 'delete',
    path: '/v1/keys/:id',
    tag,
    summary: 'Revoke a key, at once',
    scope: 'keys:write',
    params: z.strictObject({ id: keyId }),
    response: keyResource,
    errors: ['NOT_FOUND'],
  }),
} as const
