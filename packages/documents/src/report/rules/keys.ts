import type { Axis, Finding } from '@almanac/domain'
import { clipped, listed } from '../../finding.ts'
import type { Judged } from './rule.ts'

/** OUT_OF_SCOPE_KEY: deliverables, regions and links are keys of the run's scope. */
export function keyFindings({ content, index }: Judged): Finding[] {
  const check = (axis: Axis, noun: string, key: string, path: string): Finding[] =>
    index.counts[axis].has(key)
      ? []
      : [
          {
            code: 'OUT_OF_SCOPE_KEY',
            severity: 'error',
            path,
            message: `${JSON.stringify(clipped(key))} is no ${noun} of this run`,
            expected: listed(index.scope[axis]),
            found: clipped(key),
          },
        ]
  return content.sections.flatMap(({ deliverable, items }, s) => [
    ...check('deliverables', 'deliverable', deliverable, `/sections/${s}/deliverable`),
    ...items.flatMap(({ region, link }, i) => [
      ...check('regions', 'region', region, `/sections/${s}/items/${i}/region`),
      ...check('links', 'link', link, `/sections/${s}/items/${i}/link`),
    ]),
  ])
}
