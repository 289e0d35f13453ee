import { axes, type Issue } from '@almanac/domain'
import { findIndustry, industries } from '@almanac/industries'
import { z } from 'zod'

const keys = z.array(z.unknown()).catch([])

/** The fields of a specification that name things of a catalogue, whatever else is wrong with it. */
const named = z.object({
  kind: z.literal('report'),
  industry: z.string(),
  industryVersion: z.string().optional(),
  deliverables: keys,
  regions: keys,
  links: keys,
})

/**
 * What a specification names that no catalogue has: industry, version, keys. Takes the body as it
 * was sent, so that these problems are reported together with those of its form.
 */
export function catalogueIssues(body: unknown): Issue[] {
  const parsed = named.safeParse(body)
  if (!parsed.success) return []
  const { industry: id, industryVersion: version } = parsed.data
  const newest = findIndustry(id)
  if (!newest) return [issue('industry', id, distinct(industries.map((one) => one.id)))]
  const industry = findIndustry(id, version)
  if (!industry) {
    const versions = industries.filter((one) => one.id === id).map((one) => one.version)
    return [issue('industryVersion', version, versions)]
  }
  return axes.flatMap((axis) => {
    const known = industry[axis].map(({ key }) => key)
    return parsed.data[axis].flatMap((key, i) =>
      typeof key !== 'string' || known.includes(key) ? [] : [issue(`${axis}.${i}`, key, known)],
    )
  })
}

const distinct = (texts: readonly string[]): string[] => [...new Set(texts)]

const issue = (field: string, value: unknown, allowed: readonly string[]): Issue => ({
  field,
  message: `must be one of ${allowed.join(', ')}`,
  value: JSON.stringify(value).slice(0, 80),
})
