import { AlmanacError, type StopReason } from '@almanac/domain'

/** Every reason for which the guard refuses a call, with the reason for which the refinement then ends. */
export const refusalCodes = {
  TERMINATION_MISSING: 'refused',
  TERMINATION_INVALID: 'refused',
  TERMINATION_IMPOSSIBLE: 'refused',
  TERMINATION_MET: 'refused',
  LIMITS_INVALID: 'refused',
  LINEAGE_INVALID: 'refused',
  CALL_INVALID: 'refused',
  ROOT_ENDED: 'refused',
  GENERATION_OPEN: 'refused',
  DEADLINE_PASSED: 'deadline',
  DEPTH_EXCEEDED: 'depth',
  CHILDREN_EXCEEDED: 'children',
  COST_EXCEEDED: 'cost',
  TOKENS_EXCEEDED: 'cost',
  CEILING_EXCEEDED: 'cost',
  /** A budget above the root's: specification, tenant or provider. */
  BUDGET_EXHAUSTED: 'cost',
  CHECKPOINT_DENIED: 'denial',
  CHECKPOINT_EXPIRED: 'expiry',
  CHECKPOINT_CANCELLED: 'denial',
} as const satisfies Record<string, StopReason>
export type RefusalCode = keyof typeof refusalCodes

/** A call that the guard does not allow: which limit, what the call would make of it, what is allowed. */
export interface Refusal {
  code: RefusalCode
  limit: string
  value: string
  allowed: string
}

export const refusal = (
  code: RefusalCode,
  limit: string,
  value: unknown,
  allowed: unknown,
): Refusal => ({ code, limit, value: shown(value), allowed: shown(allowed) })

/** Why a refinement ends after a refused call. */
export const stopReasonOf = ({ code }: Refusal): StopReason => refusalCodes[code]

/** The refusal as the blocking error that a caller of the guard meets. */
export const refusalError = (refused: Refusal): AlmanacError<'REFINEMENT_REFUSED'> =>
  new AlmanacError('REFINEMENT_REFUSED', { ...refused, refusal: refused.code })

function shown(value: unknown): string {
  if (typeof value === 'string') return value.slice(0, 200).toWellFormed()
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  if (value === null || value === undefined) return 'nothing'
  return 'a value of another kind'
}
