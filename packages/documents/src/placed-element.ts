import type { PlacedElement } from '@almanac/domain'

/** An element of an outline, as one line says it. */
export const element = (
  level: PlacedElement['level'],
  id: string,
  parentId: string | null,
  path: string,
  value: PlacedElement['value'],
): PlacedElement => ({ level, id, parentId, path, value })
