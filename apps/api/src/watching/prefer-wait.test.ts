import type { Request } from 'express'
import { describe, expect, it } from 'vitest'
import { preferredWait } from './prefer-wait.ts'

const asked = (prefer?: string) => preferredWait({ get: () => prefer } as unknown as Request, 60)

describe('Prefer', () => {
  it.each([
    ['wait=5', 5],
    ['wait=0', 0],
    ['WAIT = 10', 10],
    ['respond-async, wait="7"', 7],
    ['wait=5; foo=bar', 5],
    ['wait=3600', 60],
    ['wait=999999999', 60],
  ])('%s asks for %d seconds', (prefer, seconds) => {
    expect(asked(prefer)).toBe(seconds)
  })

  it.each([[undefined], [''], ['wait'], ['wait=-1'], ['wait=1.5'], ['wait=soon'], ['waiting=5']])(
    '%s asks for nothing',
    (prefer) => {
      expect(asked(prefer)).toBeUndefined()
    },
  )
})
