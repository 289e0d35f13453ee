import { changeTypes, type Change, type ChangeType } from './changes.ts'

/** How many changes of each type there are. */
export function countChanges(changes: readonly Change[]): Record<ChangeType, number> {
  const counts = { added: 0, removed: 0, changed: 0, moved: 0 }
  for (const { type } of changes) counts[type] += 1
  return counts
}

/** `2 added, 1 moved`; `no change`. */
export function summarised(changes: readonly Change[]): string {
  const counts = countChanges(changes)
  const parts = changeTypes.filter((type) => counts[type] > 0)
  return parts.map((type) => `${counts[type]} ${type}`).join(', ') || 'no change'
}
