import { z } from 'zod'

/** What an API key may do; `operator` is for those who run the installation, never for tenants. */
export const keyScopes = [
  'specifications:read',
  'specifications:write',
  'runs:read',
  'runs:write',
  'artifacts:read',
  'evidence:read',
  'evidence:write',
  'keys:write',
  'checkpoint:approve',
  'audit:read',
  'operator',
] as const
export const keyScope = z.enum(keyScopes)
export type KeyScope = (typeof keyScopes)[number]

/** All scopes of a tenant's own first key. */
export const tenantScopes = keyScopes.filter((name) => name !== 'operator')
