/**
 * The life of a run.
 *
 *   queued ──▶ running ──▶ succeeded            a run waits, runs, ends
 *     │  ▲       │  │ └───▶ failed | blocked     failed: it tried; blocked: it was not allowed to
 *     │  │       │  └─────▶ cancelling ─▶ cancelled
 *     │  └─ parked ◀┘                            parked: waits for something named, until wake_at
 *     └──▶ blocked | failed | cancelled          before it ever ran
 *
 * Terminal is terminal: retry and rerun make a new run that points at this one.
 */
export const runStates = [
  'queued',
  'running',
  'parked',
  'cancelling',
  'succeeded',
  'failed',
  'blocked',
  'cancelled',
] as const
export type RunState = (typeof runStates)[number]

export const transitions = {
  queued: ['running', 'blocked', 'failed', 'cancelled'],
  running: ['queued', 'parked', 'succeeded', 'failed', 'blocked', 'cancelling'],
  parked: ['queued', 'blocked', 'failed', 'cancelled'],
  cancelling: ['cancelled'],
  succeeded: [],
  failed: [],
  blocked: [],
  cancelled: [],
} as const satisfies Record<RunState, readonly RunState[]>

export type TerminalState = {
  [S in RunState]: (typeof transitions)[S] extends readonly [] ? S : never
}[RunState]

export const isTerminal = (state: RunState): state is TerminalState =>
  transitions[state].length === 0

export const canMove = (from: RunState, to: RunState): boolean =>
  (transitions[from] as readonly RunState[]).includes(to)

/** Why a run is parked, and what happens when its `wakeAt` comes. */
export const parkReasons = {
  children: { then: 'queue', says: 'waits for its variants' },
  checkpoint: { then: 'expire', says: 'waits for a decision' },
  economy: { then: 'queue', says: 'waits for the economy lane' },
  backoff: { then: 'queue', says: 'waits before it tries again' },
  provider_stopped: { then: 'extend', says: 'waits for the provider' },
  tenant_suspended: { then: 'extend', says: 'waits for the tenant to be resumed' },
  slot: { then: 'block', says: 'waits for the run that holds its period' },
} as const satisfies Record<string, { then: 'queue' | 'expire' | 'extend' | 'block'; says: string }>
export type ParkReason = keyof typeof parkReasons

/** How a state is shown everywhere: shape and word first, colour last. */
export const statePresentation = {
  queued: { glyph: '○', word: 'Queued', token: 'queued', pattern: 'dots' },
  running: { glyph: '◐', word: 'Running', token: 'running', pattern: 'solid' },
  parked: { glyph: '‖', word: 'Parked', token: 'parked', pattern: 'stripes-rising' },
  cancelling: { glyph: '◐', word: 'Cancelling', token: 'running', pattern: 'solid' },
  succeeded: { glyph: '✓', word: 'Succeeded', token: 'succeeded', pattern: 'solid' },
  failed: { glyph: '✕', word: 'Failed', token: 'failed', pattern: 'cross-hatch' },
  blocked: { glyph: '⊘', word: 'Blocked', token: 'blocked', pattern: 'stripes-falling' },
  cancelled: { glyph: '–', word: 'Cancelled', token: 'cancelled', pattern: 'level' },
} as const satisfies Record<
  RunState,
  { glyph: string; word: string; token: string; pattern: string }
>

/** The states of a specification; read live, so that pausing one stops queued runs too. */
export const specificationStates = ['draft', 'active', 'paused', 'archived'] as const
export type SpecificationState = (typeof specificationStates)[number]

export const slotStates = ['free', 'reserved', 'consumed', 'missed', 'skipped'] as const
export type SlotState = (typeof slotStates)[number]

/** The ten stages in order; `pipeline.ts` binds each to its code and refuses another order. */
export const stageNames = [
  'retrieve',
  'cadence',
  'assemble',
  'execute',
  'validate',
  'refine',
  'evaluate',
  'export',
  'persist',
  'deliver',
] as const
export type StageName = (typeof stageNames)[number]
