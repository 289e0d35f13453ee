import type { ErrorCode, SpecificationRefinement, StopReason } from '@almanac/domain'
import type { OpenAiOptions } from '@almanac/llm/openai'
import type { FaultRuleInput } from '@almanac/simulator'
import type { HoldState } from './fault-table.ts'

/**
 * What may happen to the variants of a refinement, and what has to become of them, of their money and of
 * the run: it always succeeds, with the best valid version. The draft leaves most out, so that every
 * version but it scores more; of the variants that nothing happens to, a later one is the better.
 */
export interface VariantRow {
  name: string
  /** Each spoils requests whose call key begins so; once, unless told. */
  faults: readonly { call: string; fault: FaultRuleInput['fault']; times?: number | null }[]
  limits?: NonNullable<OpenAiOptions['limits']>
  refinement?: Partial<Extract<SpecificationRefinement, { enabled: true }>>
  stop: StopReason
  /** How each variant ended, generation by generation. */
  variants: readonly (readonly ('done' | ErrorCode)[])[]
  /** What became of each send of a call, where that is not one send that was settled. */
  sends: Readonly<Record<string, readonly HoldState[]>>
  /** The generation that the best version is of; 0: the draft. */
  best: number
  /** Whether a variant cost more than was held for it. */
  overrun?: true
}

const [first, second, third] = ['variant:1:1', 'variant:1:2', 'variant:1:3']
const lost = 'ENGINE_OUTCOME_UNKNOWN'

/** The same thing happens to one of three variants: it fails, and the two others are merged. */
const oneFails = (
  name: string,
  fault: FaultRuleInput['fault'],
  code: ErrorCode,
  hold: HoldState,
): VariantRow => ({
  name: `one variant: ${name}`,
  faults: [{ call: first, fault }],
  stop: 'depth',
  variants: [[code, 'done', 'done']],
  sends: { [first]: [hold] },
  best: 1,
})

/** What is wrong with an answer is told once, and the repaired answer is taken. */
const repaired = (name: string, fault: FaultRuleInput['fault']): VariantRow => ({
  name: `one variant: ${name}, once`,
  faults: [{ call: second, fault }],
  stop: 'depth',
  variants: [['done', 'done', 'done']],
  sends: { 'repair:1:1-2': ['settled'] },
  best: 1,
})

export const variantFaultTable: readonly VariantRow[] = [
  {
    name: 'nothing, for two generations',
    faults: [],
    refinement: { termination: [{ type: 'depth_reached', depth: 2 }] },
    stop: 'depth',
    variants: [
      ['done', 'done', 'done'],
      ['done', 'done', 'done'],
    ],
    sends: {},
    best: 2,
  },
  oneFails('500', 'server_500', lost, 'unknown'),
  oneFails('a reset mid-stream', 'reset_mid_stream', lost, 'unknown'),
  oneFails('refused', 'refused', 'ENGINE_REFUSED', 'settled'),
  oneFails('filtered', 'filtered', 'ENGINE_FILTERED', 'settled'),
  oneFails('truncated', { name: 'truncated', tokens: 50 }, 'ENGINE_TRUNCATED', 'settled'),
  oneFails('404 of the model', 'model_404', 'ENGINE_MISCONFIGURED', 'released'),
  {
    ...oneFails('a hang past the time-out', { name: 'hang', billed: true }, lost, 'unknown'),
    limits: { firstByteMs: 5_000 },
  },
  repaired('malformed JSON', 'malformed_json'),
  repaired('an invented citation', 'invented_citation'),
  {
    name: 'one variant: malformed JSON, always',
    faults: [
      { call: first, fault: 'malformed_json', times: null },
      { call: 'repair:1:1-1', fault: 'malformed_json', times: null },
      { call: 'repair:2:1-1', fault: 'malformed_json', times: null },
    ],
    stop: 'depth',
    variants: [['OUTPUT_INVALID', 'done', 'done']],
    sends: { 'repair:1:1-1': ['settled'], 'repair:2:1-1': ['settled'] },
    best: 1,
  },
  {
    name: 'one variant: 429 with Retry-After 1',
    faults: [{ call: third, fault: { name: 'rate_429', retryAfterSeconds: 1 } }],
    stop: 'depth',
    variants: [['done', 'done', 'done']],
    sends: { [third]: ['released', 'settled'] },
    best: 1,
  },
  {
    name: 'one variant: missing usage',
    faults: [{ call: first, fault: 'missing_usage' }],
    stop: 'depth',
    variants: [['done', 'done', 'done']],
    sends: {},
    best: 1,
  },
  {
    name: 'two variants: refused and 500; then a generation without faults',
    faults: [
      { call: first, fault: 'refused' },
      { call: second, fault: 'server_500' },
    ],
    refinement: { termination: [{ type: 'depth_reached', depth: 2 }] },
    stop: 'depth',
    variants: [
      ['ENGINE_REFUSED', lost, 'done'],
      ['done', 'done', 'done'],
    ],
    sends: { [second]: ['unknown'] },
    best: 2,
  },
  {
    name: 'every variant: 500',
    faults: [{ call: 'variant', fault: 'server_500', times: null }],
    refinement: { termination: [{ type: 'target_score', score: 1 }] },
    stop: 'no_children',
    variants: [[lost, lost, lost]],
    sends: { [first]: ['unknown'], [second]: ['unknown'], [third]: ['unknown'] },
    best: 0,
  },
  {
    name: 'one variant: usage above its hold',
    faults: [{ call: third, fault: { name: 'usage_above_hold', factor: 6 } }],
    stop: 'depth',
    variants: [['done', 'done', 'done']],
    sends: {},
    best: 1,
    overrun: true,
  },
  {
    // The overrun stands against whatever the root wants then: the repair, and the next generation.
    name: 'one variant: an answer above its hold that needs a repair; another generation is wanted',
    faults: [{ call: first, fault: { name: 'huge_5mb', bytes: 300_000 } }],
    refinement: { termination: [{ type: 'target_score', score: 1 }] },
    stop: 'cost',
    variants: [['BUDGET_OVERRUN', 'done', 'done']],
    sends: {},
    best: 1,
    overrun: true,
  },
  {
    name: 'one variant: 500, and the next generation would reach 80 % of the depth',
    faults: [{ call: second, fault: 'server_500' }],
    refinement: { maxDepth: 2, termination: [{ type: 'target_score', score: 1 }] },
    stop: 'denial',
    variants: [['done', lost, 'done']],
    sends: { [second]: ['unknown'] },
    best: 1,
  },
]
