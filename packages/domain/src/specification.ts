import { z } from 'zod'
import { cadence, coverage, timeZone } from './cadence/cadence.ts'
import { catalogueKey } from './catalogue.ts'
import { pluginKindName } from './document.ts'
import { microUsd } from './money.ts'
import { plainLine } from './plain-text.ts'
import {
  expandAbove,
  refinementLimits,
  refinementStrategies,
  termination,
  type RefinementLimits,
} from './refinement.ts'

const uniqueKeys = z
  .array(catalogueKey)
  .min(1)
  .max(400)
  .refine((keys) => new Set(keys).size === keys.length, { error: 'must not name a key twice' })

/** Free key–value pairs of the caller, echoed in events; at most 16. */
export const metadata = z
  .record(z.string().regex(/^[A-Za-z0-9_.-]{1,40}$/), z.string().max(500))
  .refine((value) => Object.keys(value).length <= 16, { error: 'must have at most 16 keys' })

/** Who answers when a refinement reaches 80 % of a limit. */
export const checkpointPolicy = z.union([
  z.enum(['human', 'stop']),
  z.strictObject({
    auto: z.strictObject({
      maxExtraMicroUsd: microUsd,
      maxExtraTokens: z.int().min(0),
      minGain: z.number().min(0).max(1),
    }),
  }),
])

export const lanes = ['interactive', 'economy'] as const
export type Lane = (typeof lanes)[number]

/** What one run may cost at most; the finishing cost of a run is held first. */
export const runBudget = z.strictObject({
  microUsd: microUsd.default(500_000),
  tokens: z.int().min(1).max(10_000_000).default(80_000),
})

const { shape: limit } = refinementLimits
/** Limits without their defaults: what is not told is not written. */
const toldLimits = {
  maxDepth: limit.maxDepth.unwrap().optional(),
  maxChildren: limit.maxChildren.unwrap().optional(),
  microUsd: limit.microUsd.unwrap().optional(),
  tokens: limit.tokens.unwrap().optional(),
  checkpointRatio: limit.checkpointRatio.unwrap().optional(),
  decay: limit.decay.unwrap().optional(),
  variants: limit.variants.unwrap().optional(),
  checkpointExpiryMinutes: limit.checkpointExpiryMinutes.unwrap().optional(),
}

/**
 * Whether and how far a document is refined. The conditions that end it are required where it is; the
 * root's budget is that of the run unless it is told. With `expandAbove`, phases of a workflow that are more
 * complex than this are expanded into sub-phases. What is switched off keeps its settings.
 */
export const specificationRefinement = z.discriminatedUnion('enabled', [
  z.strictObject({
    enabled: z.literal(false),
    ...toldLimits,
    expandAbove: expandAbove.exactOptional(),
    termination: termination.optional(),
    strategies: refinementStrategies.exactOptional(),
  }),
  z.strictObject({
    ...limit,
    enabled: z.literal(true),
    microUsd: toldLimits.microUsd,
    tokens: toldLimits.tokens,
    expandAbove: expandAbove.exactOptional(),
    termination,
    strategies: refinementStrategies.exactOptional(),
  }),
])
export type SpecificationRefinement = z.output<typeof specificationRefinement>

const common = {
  name: plainLine(120),
  externalId: plainLine(200).optional(),
  metadata: metadata.default({}),
  cadence,
  timeZone,
  coverage: coverage.default('closed'),
  /** `automatic`: Almanac starts every period; `manual`: only API, CLI or dashboard do. */
  schedule: z.enum(['automatic', 'manual']).default('automatic'),
  /** Minutes after the end of the window at which a schedule fires. */
  offsetMinutes: z.int().min(0).max(40_320).default(0),
  /** The schedule adds a fixed share of this, by the specification's id, so that not all fire at once. */
  spreadMinutes: z.int().min(0).max(1_440).default(0),
  /** Minutes after the due instant until which a period may still be produced; then it is missed. */
  deadlineMinutes: z.int().min(1).max(129_600).default(1_440),
  /** Which periods a schedule makes up for after a pause or an outage. */
  catchUp: z.enum(['skip', 'latest', 'all']).default('latest'),
  lane: z.enum(lanes).default('interactive'),
  budget: runBudget.prefault({}),
  refinement: specificationRefinement.default({ enabled: false }),
  checkpointPolicy: checkpointPolicy.default('stop'),
  /** Whether a free slot of a schedule is tried again within its period. */
  retryWithinPeriod: z.boolean().default(true),
  notify: z.enum(['always', 'on_change']).default('always'),
  /** A plugin's kind of document, made in the place of the specification's own kind. */
  documentKind: pluginKindName.exactOptional(),
}

export const reportSpecification = z.strictObject({
  kind: z.literal('report'),
  ...common,
  title: plainLine(160),
  industry: catalogueKey,
  /** The catalogue's version the tenant subscribed to; default: the newest. */
  industryVersion: z.string().max(20).optional(),
  deliverables: uniqueKeys,
  regions: uniqueKeys,
  links: uniqueKeys,
  /** Names of the tenant's evidence sources; the report uses no other. */
  sources: z.array(plainLine(80)).min(1).max(100),
})
export type ReportSpecification = z.output<typeof reportSpecification>

export const workflowSpecification = z.strictObject({
  kind: z.literal('workflow'),
  ...common,
  title: plainLine(160),
  purpose: plainLine(1_000),
  audience: plainLine(400),
  style: plainLine(400),
  /** Keys of the tenant's registered modules that its workflows use. */
  modules: z
    .array(catalogueKey)
    .max(50)
    .refine((keys) => new Set(keys).size === keys.length, { error: 'must not name a key twice' })
    .default([]),
  deliveryMode: z.enum(['file', 'api']).default('api'),
})
export type WorkflowSpecification = z.output<typeof workflowSpecification>

/** What a tenant asked for: one document a period, within this scope and budget. */
export const specification = z.discriminatedUnion('kind', [
  reportSpecification,
  workflowSpecification,
])
export type Specification = z.output<typeof specification>
export type SpecificationInput = z.input<typeof specification>

/** What one refinement of a specification may use; undefined where it does not refine. */
export function limitsOf({
  refinement,
  budget,
}: Pick<Specification, 'refinement' | 'budget'>): RefinementLimits | undefined {
  if (!refinement.enabled) return undefined
  const {
    enabled: _,
    termination: _conditions,
    strategies: _strategies,
    expandAbove: _above,
    ...limits
  } = refinement
  return refinementLimits.parse({
    ...limits,
    microUsd: limits.microUsd ?? budget.microUsd,
    tokens: limits.tokens ?? budget.tokens,
  })
}
