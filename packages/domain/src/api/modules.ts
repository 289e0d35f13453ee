import { z } from 'zod'
import { catalogueKey } from '../catalogue.ts'
import { moduleId } from '../ids.ts'
import { moduleDefinition, phaseKinds } from '../module.ts'
import { instant, pageOf, pageQuery } from './pages.ts'
import { defineRoute } from './route.ts'

/** A registered module as the API answers it. */
export const moduleResource = z
  .strictObject({
    id: moduleId,
    key: z.string(),
    phase: z.enum(phaseKinds),
    name: z.string(),
    purpose: z.string(),
    steps: z.array(z.string()),
    inputs: z.array(z.string()),
    outputs: z.array(z.string()),
    createdBy: z.string(),
    createdAt: instant,
  })
  .meta({ id: 'Module' })
export type ModuleResource = z.output<typeof moduleResource>

const tag = 'Modules'
const byId = z.strictObject({ id: moduleId })

export const moduleRoutes = {
  registerModule: defineRoute({
    method: 'post',
    path: '/v1/modules',
    tag,
    summary: 'Register a module that workflows can use by its key',
    scope: 'specifications:write',
    body: moduleDefinition,
    status: 201,
    response: moduleResource,
    idempotent: true,
    errors: ['INPUT_INVALID', 'NAME_TAKEN'],
  }),
  listModules: defineRoute({
    method: 'get',
    path: '/v1/modules',
    tag,
    summary: 'List registered modules, of one phase or with one key where that is asked',
    scope: 'specifications:read',
    query: z.strictObject({
      ...pageQuery,
      phase: z.enum(phaseKinds).optional(),
      key: catalogueKey.optional(),
    }),
    response: pageOf(moduleResource),
  }),
  getModule: defineRoute({
    method: 'get',
    path: '/v1/modules/:id',
    tag,
    summary: 'One registered module',
    scope: 'specifications:read',
    params: byId,
    response: moduleResource,
    errors: ['NOT_FOUND'],
  }),
  removeModule: defineRoute({
    method: 'delete',
    path: '/v1/modules/:id',
    tag,
    summary: 'Remove a module that no specification and no unfinished run uses',
    scope: 'specifications:write',
    params: byId,
    response: moduleResource,
    errors: ['NOT_FOUND', 'MODULE_IN_USE'],
  }),
} as const
