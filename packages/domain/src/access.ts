import { z } from 'zod'

/** What a tenant's key may do; `operator` is for those who run the installation and act for the tenant. */
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

/** What a key of an operator may do. Such keys belong to the installation, and open nothing of a tenant's. */
export const operatorScopes = ['ops:read', 'ops:stop-spend'] as const
export const operatorScope = z.enum(operatorScopes)
export type OperatorScope = (typeof operatorScopes)[number]
