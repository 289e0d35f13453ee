import { axes, type Scope } from './catalogue.ts'
import { AlmanacError } from './errors.ts'
import type { RunRequest } from './run.ts'
import type { Specification } from './specification.ts'

/** The scope that a specification ordered; null for kinds without one. */
export function scopeOf(body: Specification): Scope | null {
  if (body.kind !== 'report') return null
  const { deliverables, regions, links } = body
  return { deliverables, regions, links }
}

/**
 * The part of `full` that `narrow` names, in the specification's order.
 * Throws SCOPE_WIDENED when it names anything else.
 */
export function narrowScope(full: Scope | null, narrow: RunRequest['narrow'] | null): Scope | null {
  if (!full || !narrow) return full
  const narrowed = { ...full }
  for (const axis of axes) {
    const wanted = narrow[axis]
    if (!wanted) continue
    const foreign = wanted.filter((key) => !full[axis].includes(key))
    if (foreign.length > 0)
      throw new AlmanacError('SCOPE_WIDENED', {
        field: `narrow.${axis}`,
        values: foreign.map((key) => `"${key}"`).join(', '),
        allowed: full[axis].join(', '),
      })
    narrowed[axis] = full[axis].filter((key) => wanted.includes(key))
  }
  return narrowed
}
