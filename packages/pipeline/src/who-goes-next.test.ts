import type { TenantId } from '@almanac/domain'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { whoGoesNext, type Waiting } from './who-goes-next.ts'

const tenant = (n: number): TenantId => `ten_${n}`
const backlog = fc
  .array(fc.record({ queued: fc.nat(50), inFlight: fc.nat(20), cap: fc.nat(20) }), {
    maxLength: 12,
  })
  .map((rows): Waiting[] => rows.map((row, n) => ({ tenantId: tenant(n), ...row })))

it('starts those with the fewest runs in flight first, within their caps', () => {
  const waiting = [
    { tenantId: tenant(1), queued: 9, inFlight: 3, cap: 10 },
    { tenantId: tenant(2), queued: 2, inFlight: 0, cap: 10 },
    { tenantId: tenant(3), queued: 5, inFlight: 2, cap: 2 },
  ]
  expect(whoGoesNext(waiting, 4)).toEqual(
    new Map([
      [tenant(1), 2],
      [tenant(2), 2],
    ]),
  )
})

it('never passes the room, a cap or a backlog, and leaves no room unused', () => {
  fc.assert(
    fc.property(backlog, fc.nat(100), (waiting, room) => {
      const admitted = whoGoesNext(waiting, room)
      const total = [...admitted.values()].reduce((sum, n) => sum + n, 0)
      const possible = waiting.map(({ queued, inFlight, cap }) =>
        Math.max(0, Math.min(queued, cap - inFlight)),
      )
      waiting.forEach(({ tenantId }, n) => {
        expect(admitted.get(tenantId) ?? 0).toBeLessThanOrEqual(possible[n] ?? 0)
      })
      expect(total).toBe(
        Math.min(
          room,
          possible.reduce((sum, n) => sum + n, 0),
        ),
      )
    }),
  )
})
