import { AlmanacError, axes, type Industry, type RunPackage, type Scope } from '@almanac/domain'
import { hashOf } from '@almanac/domain/hash'
import { polyurethane } from './polyurethane/index.ts'
import { usRegulation } from './us-regulation/index.ts'

/**
 * Every version of every industry that a stored run package may name. A published version is never
 * changed or removed: a change is a new version beside it.
 */
const all: Industry[] = [usRegulation, polyurethane]
export const industries: readonly Industry[] = all

/**
 * Adds an industry to this process, before anything asks for one. Throws INPUT_INVALID where its id and
 * version name a different one already; the same one again changes nothing.
 */
export function installIndustry(industry: Industry): void {
  const { id, version } = industry
  const known = all.find((one) => one.id === id && one.version === version)
  if (!known) {
    all.push(industry)
    return
  }
  if (industryHash(known) === industryHash(industry)) return
  const message = `${version} of ${id} is there already, and says something else: a change needs a new version`
  throw new AlmanacError('INPUT_INVALID', { issues: [{ field: 'version', message }] })
}

const numbers = ({ version }: Industry) => version.split('.').map(Number)

function byVersion(a: Industry, b: Industry): number {
  const [left, right] = [numbers(a), numbers(b)]
  const at = left.findIndex((part, index) => part !== right[index])
  return at < 0 ? 0 : (left[at] ?? 0) - (right[at] ?? 0)
}

/** The industry `id` in `version`, or in its newest one. */
export function findIndustry(id: string, version?: string): Industry | undefined {
  return industries
    .filter((industry) => industry.id === id)
    .filter((industry) => version === undefined || industry.version === version)
    .sort(byVersion)
    .at(-1)
}

/** Like `findIndustry`, but throws NOT_FOUND for an id or version that does not exist. */
export function getIndustry(id: string, version?: string): Industry {
  const industry = findIndustry(id, version)
  if (industry) return industry
  const what = version === undefined ? `industry ${id}` : `version ${version} of industry ${id}`
  throw new AlmanacError('NOT_FOUND', { what })
}

const hashes = new WeakMap<Industry, string>()

/** SHA-256 of an industry's canonical JSON: what a run package names its whole catalogue by. */
export function industryHash(industry: Industry): string {
  let hash = hashes.get(industry)
  if (hash === undefined) hashes.set(industry, (hash = hashOf(industry)))
  return hash
}

/** The industry whose hash stands in a run package, so that its whole catalogue can be read again. */
export function findIndustryByHash(hash: string): Industry | undefined {
  return industries.find((industry) => industryHash(industry) === hash)
}

/**
 * The part of a catalogue that a run package holds: the entries of `scope`, in its order, with labels
 * and lexicons. Throws INPUT_INVALID with every key that the catalogue lacks.
 */
export function scopedCatalogue(
  industry: Industry,
  scope: Scope,
): NonNullable<RunPackage['catalogue']> {
  const issues = axes.flatMap((axis) =>
    scope[axis]
      .filter((key) => !industry[axis].some((entry) => entry.key === key))
      .map((key) => ({
        field: axis,
        message: `must be of ${industry.id} ${industry.version}: ${industry[axis].map((entry) => entry.key).join(', ')}`,
        value: JSON.stringify(key),
      })),
  )
  if (issues.length > 0) throw new AlmanacError('INPUT_INVALID', { issues })
  const entries = (axis: (typeof axes)[number]) =>
    scope[axis].flatMap((key) => industry[axis].filter((entry) => entry.key === key))
  return {
    industry: industry.id,
    version: industry.version,
    hash: industryHash(industry),
    deliverables: entries('deliverables'),
    regions: entries('regions'),
    links: entries('links'),
  }
}
