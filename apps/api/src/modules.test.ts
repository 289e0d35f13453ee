import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { testTenant } from '../../../test/support/postgres.ts'
import { sampleModule, sampleWorkflow } from '../../../test/support/workflow-sample.ts'
import { testApi } from './testing/test-api.ts'

const { call, refused, db } = await testApi()
const { key } = await testTenant(db)
const idOf = (json: unknown) => z.object({ id: z.string() }).parse(json).id
const fields = (params: unknown) =>
  z
    .object({ issues: z.array(z.object({ field: z.string(), message: z.string() })) })
    .parse(params)
    .issues.map(({ field, message }) => `${field}: ${message}`)

describe('modules', () => {
  it('are registered, listed, used by a workflow, and removed when nothing uses them', async () => {
    const added = await call('POST', '/v1/modules', { key, json: sampleModule() })
    expect(added.status).toBe(201)
    const address = `/v1/modules/${idOf(added.json)}`
    expect(added.headers.get('location')).toBe(address)
    expect((await call('GET', address, { key })).json).toEqual(added.json)
    const listed = await call('GET', '/v1/modules', { key, query: { phase: 'check' } })
    expect(listed.json).toEqual({ data: [added.json], nextCursor: null })
    await refused('POST', '/v1/modules', { key, json: sampleModule() }, 'NAME_TAKEN')

    const made = await call('POST', '/v1/specifications', { key, json: sampleWorkflow() })
    expect(made.status).toBe(201)
    const found = await refused('DELETE', address, { key }, 'MODULE_IN_USE')
    expect(found.status).toBe(409)
    expect(found.params).toEqual({
      key: 'data-sheet-check',
      users: [`"Supplier onboarding" (${idOf(made.json)})`],
    })
    await call('POST', `/v1/specifications/${idOf(made.json)}/archive`, { key })
    expect((await call('DELETE', address, { key })).status).toBe(200)
    expect((await call('GET', address, { key })).status).toBe(404)
  })

  it('are refused with everything that is wrong with them', async () => {
    const json = {
      key: 'Not A Key',
      phase: 'later',
      name: ' ',
      purpose: 'x\u0007y',
      steps: [],
      outputs: ['a', 'a'],
    }
    const found = await refused('POST', '/v1/modules', { key, json }, 'INPUT_INVALID')
    expect(fields(found.params).map((line) => line.split(':')[0])).toEqual(
      [
        ...['body.key', 'body.phase', 'body.name', 'body.purpose', 'body.steps', 'body.outputs'],
      ].map((field) => field.replace(/^body\./, '')),
    )
  })
})

describe('a workflow specification', () => {
  const specify = (over: object) => ({
    ...sampleWorkflow({ modules: [] }),
    externalId: 'bad',
    ...over,
  })
  const four = ['title', 'purpose', 'audience', 'style'] as const
  const all = (value: unknown) => Object.fromEntries(four.map((field) => [field, value]))

  it.each([
    ['missing', undefined],
    ['blank', ' \t '],
    ['of control characters', 'Audit \u001b[31m suppliers'],
    ['of a line break', 'Audit\nsuppliers'],
    ['of an override of direction', 'Audit \u202e suppliers'],
    ['of half a character', 'Audit \ud800 suppliers'],
    ['too long', 'long '.repeat(400)],
    ['no text', 7],
  ])(
    'with purpose, audience, style and title %s is refused, all four at once',
    async (_, value) => {
      const json = specify(all(value))
      const found = await refused('POST', '/v1/specifications', { key, json }, 'INPUT_INVALID')
      expect(
        fields(found.params)
          .map((line) => line.split(':')[0])
          .sort(),
      ).toEqual([...four].sort())
    },
  )

  it('is refused with unknown modules and keys named twice', async () => {
    const twice = specify({ modules: ['one', 'one'] })
    await refused('POST', '/v1/specifications', { key, json: twice }, 'INPUT_INVALID')
    const unknown = specify({ modules: ['nobody'] })
    const found = await refused(
      'POST',
      '/v1/specifications',
      { key, json: unknown },
      'INPUT_INVALID',
    )
    expect(fields(found.params)).toEqual([
      'modules.0: must be the key of a registered module; `almanac modules list` names them',
    ])
  })
})
