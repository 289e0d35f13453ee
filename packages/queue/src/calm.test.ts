import { expect, it } from 'vitest'
import { calm } from './calm.ts'

it('tells an error once in ten seconds, and others at once', () => {
  const told: unknown[] = []
  let now = 0
  const onError = calm(
    (error) => told.push(error),
    () => now,
  )
  const say = (message: string, at: number) => {
    now = at
    onError(new Error(message))
  }
  say('refused', 0)
  say('refused', 9_000)
  say('reset', 9_000)
  say('refused', 10_000)
  say('refused', 12_000)
  expect(told.map(String)).toEqual(['Error: refused', 'Error: reset', 'Error: refused'])
})
