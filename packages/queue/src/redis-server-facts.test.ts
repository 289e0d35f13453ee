import { describe, expect, it } from 'vitest'
import { assertSuitableRedis } from './redis-server-facts.ts'

const info = (facts: Record<string, string>) =>
  [
    '# Server',
    ...Object.entries({
      redis_version: '7.0.15',
      maxmemory_policy: 'noeviction',
      aof_enabled: '1',
      ...facts,
    }).map(([name, value]) => `${name}:${value}`),
  ].join('\r\n')

describe('a Redis', () => {
  it.each([
    [{}, true],
    [{ redis_version: '8.2.1' }, true],
    [{ redis_version: '7.2.4', server_name: 'valkey', valkey_version: '8.1.0' }, true],
    [{ aof_enabled: '0' }, false],
  ])('%o is taken (production: %s)', (facts, production) => {
    expect(() => assertSuitableRedis(info(facts), { production })).not.toThrow()
  })

  it.each([
    [{ redis_version: '6.2.14' }, 'version 6.2.14'],
    [{ maxmemory_policy: 'volatile-lru' }, 'maxmemory-policy volatile-lru'],
    [{ aof_enabled: '0' }, 'appendonly no'],
  ])('%o is refused in production', (facts, value) => {
    expect(() => assertSuitableRedis(info(facts), { production: true })).toThrow(value)
  })

  it('is refused when it says nothing', () => {
    expect(() => assertSuitableRedis('', { production: true })).toThrow('version unknown')
  })
})
