/**
 * The label of the next child of a version: `1.3` after `1.1` and `1.2`, `1.m` and then `1.m2` for what
 * was merged. A pure function of the parent's label and the labels that its children have; two writers
 * that ask at once get the same one, of which the database takes one, and the other asks again.
 */
export function nextChildVersion(
  parent: string,
  taken: Iterable<string>,
  { merged = false }: { merged?: boolean } = {},
): string {
  const mark = merged ? 'm' : ''
  const prefix = `${parent}.${mark}`
  let highest = 0
  for (const label of taken) {
    if (!label.startsWith(prefix)) continue
    const number = label.slice(prefix.length)
    // The first merge has no number.
    if (merged && number === '') highest = Math.max(highest, 1)
    if (/^[1-9]\d*$/.test(number)) highest = Math.max(highest, Number(number))
  }
  return merged && highest === 0 ? prefix : `${prefix}${highest + 1}`
}

/** The labels of `count` children that are made together. */
export function nextChildVersions(
  parent: string,
  taken: Iterable<string>,
  count: number,
): string[] {
  const labels: string[] = []
  const all = new Set(taken)
  for (let n = 0; n < count; n += 1) {
    const label = nextChildVersion(parent, all)
    labels.push(label)
    all.add(label)
  }
  return labels
}
