import { canonicalJson } from '@almanac/domain'
import assert from 'node:assert/strict'

/**
 * One property of a hook, for any test framework: `for (const { name, run } of metricConformance(mine))
 * it(name, run)`. `run` rejects with an AssertionError where the property does not hold.
 */
export interface Check {
  name: string
  run: () => Promise<void>
}

export const check = (name: string, run: () => void | Promise<void>): Check => ({
  name,
  run: async () => {
    await run()
  },
})

/** Deep, so that a hook that changes what it is given throws, or is seen to have tried. */
export function frozen<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  Object.freeze(value)
  for (const inner of Object.values(value)) frozen(inner)
  return value
}

export const copyOf = <T>(value: T): T => structuredClone(value)

/** That two calls with equal input answer equal data, and that neither changes its input. */
export async function assertPure<I, O>(
  call: (input: I) => O | Promise<O>,
  input: I,
  what: string,
): Promise<O> {
  const first = await call(frozen(copyOf(input)))
  const second = await call(frozen(copyOf(input)))
  assert.equal(textOf(first), textOf(second), `${what}: equal input must give an equal answer`)
  const given = copyOf(input)
  await call(given)
  assert.equal(textOf(given), textOf(input), `${what}: the input must stay as it is`)
  return first
}

const textOf = (value: unknown): string => (value === undefined ? '' : canonicalJson(asData(value)))

/** The value as its way through a message leaves it. */
const asData = (value: unknown): unknown => JSON.parse(JSON.stringify(value) ?? 'null')

/**
 * That a call asks neither a clock nor dice: what is different tomorrow, or on another machine, is
 * not reproducible. Replaces both for the time of the call.
 */
export async function assertTimeless(call: () => unknown, what: string): Promise<void> {
  const asked = new Set<string>()
  const real = { Date: globalThis.Date, random: Math.random }
  const note = <A extends unknown[], R>(name: string, own: (...args: A) => R) => {
    return (...args: A): R => {
      asked.add(name)
      return own(...args)
    }
  }
  globalThis.Date = new Proxy(real.Date, {
    construct: (target, args: unknown[], as) => {
      if (args.length === 0) asked.add('new Date()')
      return Reflect.construct(target, args, as) as object
    },
    get: (target, name, as) =>
      name === 'now' ? note('Date.now()', () => target.now()) : Reflect.get(target, name, as),
  })
  Math.random = note('Math.random()', real.random)
  try {
    await call()
  } finally {
    globalThis.Date = real.Date
    Math.random = real.random
  }
  assert.deepEqual([...asked], [], `${what} must ask neither a clock nor dice`)
}
