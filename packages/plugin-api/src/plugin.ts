import { catalogueKey, issuesOf, type Issue } from '@almanac/domain'
import { z } from 'zod'
import type { Hooks } from './hooks.ts'

/** The version of the hooks in this package; a plugin declares the one that it was written for. */
export const pluginApiVersion = 1

export interface Plugin {
  /** Lower-case words joined by hyphens; unique among the plugins of an Almanac. */
  readonly name: string
  readonly apiVersion: typeof pluginApiVersion
  readonly hooks: Hooks
}

/** Declares a plugin; the default export of its module. Nothing is checked before it is loaded. */
export const definePlugin = (plugin: Plugin): Plugin => plugin

const method = z.custom<unknown>((value) => typeof value === 'function', {
  error: 'must be a function',
})
const key = catalogueKey
const documentKindName = z.string().regex(/^[a-z][a-z0-9-]{0,47}$/)
const listOf = <S extends z.ZodType>(hook: S) => z.array(hook).min(1).optional()

const weight = z
  .number({ error: 'must be a number above 0, up to 0.5' })
  .gt(0, 'must be above 0')
  .max(0.5, 'must be at most 0.5')

const hookSchemas = {
  engines: z.looseObject({
    name: key,
    model: z.string().min(1).max(120),
    provider: key,
    ...{ body: method, estimate: method, price: method, generate: method },
  }),
  kinds: z.looseObject({
    name: key.regex(/^x-/, 'must begin with x-'),
    base: z.enum(['report', 'workflow'], { error: 'must be report or workflow' }),
    schemaVersion: z.int().min(1),
    instruction: z.nullable(
      z.looseObject({ id: z.string(), version: z.string(), text: z.string() }),
    ),
    callSchema: method.optional(),
    ...{ jsonSchema: method, calls: method, prompt: method, read: method, parse: method },
    ...{ validate: method, evaluate: method, outline: method, compose: method },
    render: z.looseObject({ json: method, markdown: method, html: method }),
  }),
  metrics: z.looseObject({ name: key, kind: documentKindName, weight, measure: method }),
  judges: z.looseObject({ name: key, kind: documentKindName, weight, checklist: method }),
  exporters: z.looseObject({
    format: z.string().regex(/^[a-z][a-z0-9]{0,15}$/, 'must be lower-case letters and digits'),
    kinds: z.array(documentKindName).min(1),
    export: method,
  }),
  deliverers: z.looseObject({ name: key, deliver: method }),
  variants: z.looseObject({ name: key, briefs: method }),
  merges: z.looseObject({ name: key, merge: method }),
  terminations: z.looseObject({ name: key, stops: method }),
} satisfies Record<keyof Hooks, z.ZodType>

const hooks = z
  .strictObject({
    engines: listOf(hookSchemas.engines),
    kinds: listOf(hookSchemas.kinds),
    metrics: listOf(hookSchemas.metrics),
    judges: listOf(hookSchemas.judges),
    exporters: listOf(hookSchemas.exporters),
    deliverers: listOf(hookSchemas.deliverers),
    variants: listOf(hookSchemas.variants),
    merges: listOf(hookSchemas.merges),
    terminations: listOf(hookSchemas.terminations),
  })
  .refine((value) => Object.values(value).some((list) => list !== undefined), {
    error: 'must hold at least one hook',
  })

const shape = z.looseObject({ name: key, apiVersion: z.literal(pluginApiVersion), hooks })

export type PluginCheck = { ok: true; plugin: Plugin } | { ok: false; reason: string }

/**
 * Whether a module's default export is a plugin of this version; else all that is wrong, in one line.
 * The plugin itself is answered, not a copy: its methods may need it.
 */
export function checkPlugin(value: unknown): PluginCheck {
  if (typeof value !== 'object' || value === null)
    return { ok: false, reason: 'its default export is no plugin: use definePlugin' }
  const version = 'apiVersion' in value ? value.apiVersion : undefined
  if (version !== pluginApiVersion)
    return {
      ok: false,
      reason: `it declares apiVersion ${JSON.stringify(version) ?? 'nothing'}, and this Almanac has ${pluginApiVersion}`,
    }
  const parsed = shape.safeParse(value)
  if (parsed.success) return { ok: true, plugin: value as Plugin }
  return { ok: false, reason: issuesOf(parsed.error, value).map(issueLine).join('; ') }
}

const issueLine = ({ field, message, value }: Issue): string =>
  `${field} ${message}${value === undefined ? '' : ` (found ${value})`}`

const named = z.strictObject({ name: z.string() })
const measuring = z.strictObject({ name: z.string(), kind: z.string(), weight: z.number() })

/** What a plugin has registered, as data: all that Almanac knows of it outside of its thread. */
export const manifest = z.strictObject({
  name: z.string(),
  engines: z.array(z.strictObject({ name: z.string(), model: z.string(), provider: z.string() })),
  kinds: z.array(
    z.strictObject({
      name: z.templateLiteral(['x-', z.string()]),
      base: z.enum(['report', 'workflow']),
      schemaVersion: z.int(),
      instruction: z.nullable(
        z.strictObject({ id: z.string(), version: z.string(), text: z.string() }),
      ),
      hasCallSchema: z.boolean(),
    }),
  ),
  metrics: z.array(measuring),
  judges: z.array(measuring),
  exporters: z.array(z.strictObject({ format: z.string(), kinds: z.array(z.string()) })),
  deliverers: z.array(named),
  variants: z.array(named),
  merges: z.array(named),
  terminations: z.array(named),
})
export type Manifest = z.output<typeof manifest>

/** The manifest of a plugin that was checked. */
export const manifestOf = ({ name, hooks: own }: Plugin): Manifest => ({
  name,
  engines: (own.engines ?? []).map(({ name, model, provider }) => ({ name, model, provider })),
  kinds: (own.kinds ?? []).map(({ name, base, schemaVersion, instruction, callSchema }) => ({
    ...{ name, base, schemaVersion },
    instruction: instruction && {
      id: instruction.id,
      version: instruction.version,
      text: instruction.text,
    },
    hasCallSchema: callSchema !== undefined,
  })),
  metrics: (own.metrics ?? []).map(({ name, kind, weight }) => ({ name, kind, weight })),
  judges: (own.judges ?? []).map(({ name, kind, weight }) => ({ name, kind, weight })),
  exporters: (own.exporters ?? []).map(({ format, kinds }) => ({ format, kinds: [...kinds] })),
  deliverers: (own.deliverers ?? []).map(({ name }) => ({ name })),
  variants: (own.variants ?? []).map(({ name }) => ({ name })),
  merges: (own.merges ?? []).map(({ name }) => ({ name })),
  terminations: (own.terminations ?? []).map(({ name }) => ({ name })),
})
