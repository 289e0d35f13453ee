import type { RunPackage } from '@almanac/domain'
import type { RenderInput } from '../../kind.ts'
import { changesView, type ChangesView, type GoneElement } from '../../render/changes-view.ts'
import { labelOf } from '../package-index.ts'
import type { ReportContent } from '../schema.ts'
import type { SectionView } from './view.ts'

/** What is new in a report, as its formats show it; undefined when nobody has looked. */
export function reportChanges(
  { changes, package: runPackage }: RenderInput<ReportContent>,
  sections: readonly SectionView[],
): ChangesView | undefined {
  return changesView(changes, {
    noun: 'report',
    counts: (level) => level === 'item',
    linkOf(path) {
      const [, s, , i] = path.slice(1).split('/')
      const section = sections[Number(s)]
      if (!section) return undefined
      const group = section.label
      if (i === undefined) return { group, anchor: `d-${section.key}`, name: 'the section' }
      const item = section.items[Number(i)]
      return item && { group, anchor: item.id, name: `item ${item.number}` }
    },
    placeOf: (element) => placeOf(element, runPackage),
    saidOf: ({ level, before }) => (level === 'item' ? textAt(before, 'text') : undefined),
  })
}

const kindNames: Record<string, string> = {
  fact: 'Fact',
  interpretation: 'Interpretation',
  implication: 'Implication',
}

function placeOf({ level, parentId, before }: GoneElement, runPackage: RunPackage): string {
  if (level === 'section')
    return `Section ${labelOf(runPackage, 'deliverables', textAt(before, 'deliverable'))}`
  const deliverable = parentId?.replace(/^section:/, '') ?? ''
  return [
    labelOf(runPackage, 'deliverables', deliverable),
    kindNames[textAt(before, 'kind')] ?? textAt(before, 'kind'),
    labelOf(runPackage, 'regions', textAt(before, 'region')),
    labelOf(runPackage, 'links', textAt(before, 'link')),
  ].join(' · ')
}

function textAt(value: GoneElement['before'], field: string): string {
  const found = value[field]
  return typeof found === 'string' ? found : ''
}
