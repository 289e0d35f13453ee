import { canonicalJson, mediaTypeOf } from '@almanac/domain'
import { sha256 } from '@almanac/domain/hash'
import assert from 'node:assert/strict'
import type { Delivery, DelivererHook } from '../hooks.ts'
import { check, type Check } from './check.ts'

const id = (prefix: string, digit: string) => `${prefix}_01h455vb4pex5vsknk084sn02${digit}`

const artifact = (format: string, text: string): Delivery['artifacts'][number] => ({
  ...{ format, text, mediaType: mediaTypeOf(format) },
  sha256: sha256(text),
  bytes: Buffer.byteLength(text),
})

/** A delivery of one period; `digit` tells those of different runs apart. */
export const sampleDelivery = (digit: string, over: Partial<Delivery> = {}): Delivery => ({
  id: id('dlv', digit),
  tenantId: id('ten', '0'),
  runId: id('run', digit),
  specificationId: id('spec', digit),
  periodKey: '2022-W10',
  artifacts: [
    artifact('json', '{"kind":"report"}'),
    artifact('markdown', '# Weekly — ½'),
    artifact('html', '<!doctype html><title>Weekly</title>'),
  ],
  ...over,
})

export interface DelivererCase {
  deliverer: DelivererHook
  /** All that has arrived so far, as data: file names with texts, requests' ids with bodies. */
  arrived: () => unknown
}

/**
 * What every deliverer holds to: what is delivered arrives whole, and delivering it again, after an
 * answer that was lost, changes nothing. `open` makes a new, empty place for each check.
 */
export function delivererConformance(open: () => DelivererCase | Promise<DelivererCase>): Check[] {
  const { signal } = new AbortController()
  const state = async ({ arrived }: DelivererCase) => canonicalJson((await arrived()) ?? null)
  return [
    check('delivers every artifact, and answers data', async () => {
      const one = await open()
      const before = await state(one)
      const answer = await one.deliverer.deliver(sampleDelivery('1'), signal)
      assert.ok(JSON.stringify(answer) !== undefined, 'the answer is no JSON')
      const after = await state(one)
      assert.notEqual(after, before, 'nothing has arrived')
      for (const { format, text } of sampleDelivery('1').artifacts)
        assert.ok(after.includes(JSON.stringify(text).slice(1, -1)), `${format} has not arrived`)
    }),
    check('changes nothing when the same delivery is tried again', async () => {
      const one = await open()
      await one.deliverer.deliver(sampleDelivery('1'), signal)
      const once = await state(one)
      await one.deliverer.deliver(sampleDelivery('1'), signal)
      assert.equal(await state(one), once)
    }),
    check('may be tried twice at once', async () => {
      const [one, other] = [await open(), await open()]
      await one.deliverer.deliver(sampleDelivery('1'), signal)
      const once = await state(one)
      const again = async () => one.deliverer.deliver(sampleDelivery('1'), signal)
      await Promise.all([again(), again()])
      assert.equal(await state(one), once)
      assert.notEqual(await state(other), once, 'the places of two cases must not be the same')
    }),
    check('keeps different deliveries apart', async () => {
      const one = await open()
      await one.deliverer.deliver(sampleDelivery('1'), signal)
      const second = sampleDelivery('2', {
        artifacts: [artifact('markdown', '# Another report'), artifact('csv', 'a,b')],
      })
      await one.deliverer.deliver(second, signal)
      const both = await state(one)
      for (const text of ['# Weekly — ½', '# Another report'])
        assert.ok(both.includes(text), `${text} is gone`)
    }),
    check('does not change the delivery', async () => {
      const { deliverer } = await open()
      const delivery = sampleDelivery('1')
      await deliverer.deliver(delivery, signal)
      assert.deepEqual(delivery, sampleDelivery('1'))
    }),
  ]
}
