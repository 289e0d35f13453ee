import { AlmanacError, type Issue } from '@almanac/domain'

/** The oldest Redis that Almanac runs on; Valkey says 7.2 or later here. */
const oldestMajor = 7

/**
 * Refuses a Redis that would lose jobs behind our back: too old, evicting keys when memory is full,
 * or (in production) keeping nothing on disk. `info` is the answer to INFO. Throws CONFIG_INVALID
 * with every reason at once.
 */
export function assertSuitableRedis(info: string, { production }: { production: boolean }): void {
  const facts = new Map(
    info
      .split(/\r?\n/)
      .filter((line) => line.includes(':'))
      .map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()]),
  )
  const issues: Issue[] = []
  const refuse = (message: string, value: string) => {
    issues.push({ field: 'REDIS_URL', message, value })
  }
  const version = facts.get('redis_version') ?? 'unknown'
  if (!(Number(version.split('.')[0]) >= oldestMajor))
    refuse(`must name a Redis ${oldestMajor} or later, or a Valkey`, `version ${version}`)
  const policy = facts.get('maxmemory_policy') ?? 'unknown'
  if (policy !== 'noeviction')
    refuse('must name a Redis with maxmemory-policy noeviction', `maxmemory-policy ${policy}`)
  if (production && facts.get('aof_enabled') !== '1')
    refuse('must name a Redis with appendonly yes in production', 'appendonly no')
  if (issues.length > 0) throw new AlmanacError('CONFIG_INVALID', { issues })
}
