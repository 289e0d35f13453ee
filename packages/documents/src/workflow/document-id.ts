import type { RunPackage } from '@almanac/domain'
import { sha256 } from '@almanac/domain/hash'
import { workflowSpecificationOf } from './calls.ts'

const mostTitleCharacters = 60

/**
 * The id of a workflow, safe as a file name and in an address: the title's letters, the period (of work
 * without one, the day its window ends), and a hash of specification and period. It follows from these
 * alone, so that it is the same in every process and every version of the document.
 */
export function workflowId(runPackage: Pick<RunPackage, 'specification' | 'cadence'>): string {
  const { specification, cadence } = runPackage
  const { title } = workflowSpecificationOf(runPackage)
  const period = cadence.periodKey ?? cadence.to.slice(0, 10)
  const words = slug(title).slice(0, mostTitleCharacters).replace(/-+$/, '') || 'workflow'
  const hash = sha256(`${specification.id}/${period}`).slice(0, 8)
  return `${words}-${slug(period)}-${hash}`
}

/** `text` in lower-case ASCII letters and digits, joined by hyphens. */
export const slug = (text: string): string =>
  text
    .normalize('NFKD')
    .replace(/\p{M}+/gu, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
