import { expect, it } from 'vitest'
import { testDatabase } from '../../../test/support/postgres.ts'
import { createProbes } from './probes.ts'

const { db } = await testDatabase()
const probes = createProbes(db)
const of = { endpoint: 'http://127.0.0.1:8000/v1', api: 'chat', model: 'local' } as const

it('keeps what was found last of an endpoint, by API and model', async () => {
  expect(await probes.find(of)).toBeUndefined()
  const first = { capabilities: '{"a":1}', probedAt: new Date('2026-11-20T10:00:00Z') }
  const later = { capabilities: '{"a":2}', probedAt: new Date('2026-11-21T10:00:00Z') }
  await probes.store(of, first)
  await probes.store({ ...of, model: 'other' }, first)
  await probes.store(of, later)
  expect(await probes.find(of)).toEqual(later)
  expect(await probes.find({ ...of, model: 'other' })).toEqual(first)
  expect(await probes.find({ ...of, api: 'responses' })).toBeUndefined()
  await probes.forget(of)
  expect(await probes.find(of)).toBeUndefined()
  expect(await probes.find({ ...of, model: 'other' })).toEqual(first)
})
