import { errorTable, routes, type Operation } from '@almanac/domain'
import { parse } from 'parse5'
import { describe, expect, it } from 'vitest'
import { examples } from './docs/examples.ts'
import { createOpenApi } from './docs/openapi.ts'
import { exampleOf, problemCodes } from './docs/problem-responses.ts'
import { operations as ofTenants, operatorsOperations } from './testing/foreign-ids.ts'
import { assertNothingLeaks, testApi } from './testing/test-api.ts'

const { call } = await testApi()
const operations = [...ofTenants, ...operatorsOperations]
/** Any JSON, to be looked into. */
interface Any {
  [name: string]: Any | undefined
}
const document = createOpenApi() as unknown as Any
const operationOf = (operation: Operation): Any => {
  const { path, method } = routes[operation]
  const found = document['paths']?.[path.replaceAll(/:(\w+)/g, '{$1}')]?.[method]
  if (!found) throw new Error(`${operation} is not in the document`)
  return found
}

describe('the OpenAPI document', () => {
  it('is served as it is made', async () => {
    const { status, headers, json } = await call('GET', '/openapi.json')
    expect(status).toBe(200)
    expect(json).toEqual(JSON.parse(JSON.stringify(document)))
    const again = await call('GET', '/openapi.json', {
      headers: { 'if-none-match': headers.get('etag') ?? '' },
    })
    expect(again.status).toBe(304)
  })

  it('has the form of OpenAPI 3.1', () => {
    expect(document['openapi']).toBe('3.1.0')
    expect(document['info']).toMatchObject({ title: 'Almanac', version: '1.0.0' })
    const ids = operations.map((operation) => operationOf(operation)['operationId'])
    expect(ids).toEqual(operations)
    for (const path of Object.keys(document['paths'] ?? {})) expect(path).toMatch(/^\/v1\//)
    expect(JSON.stringify(document)).not.toContain('__schema')
  })

  it('refers to nothing that is not there', () => {
    const refs = [...JSON.stringify(document).matchAll(/"\$ref":"#\/([^"]+)"/g)].map(([, at]) => at)
    expect(refs.length).toBeGreaterThan(100)
    for (const ref of new Set(refs)) {
      const found = ref?.split('/').reduce<Any | undefined>((at, name) => at?.[name], document)
      expect(found, ref).toBeDefined()
    }
  })

  it.each(operations)('says of %s what it takes, answers, and can refuse', (operation) => {
    const { path, scope, status, takes, idempotent, errors } = routes[operation]
    const found = operationOf(operation)
    expect(String(found['summary']).length).toBeGreaterThan(5)
    expect(found['tags']).toHaveLength(1)
    const responses: Any = found['responses'] ?? {}
    expect(Object.keys(responses)).toEqual(
      expect.arrayContaining([String(status), '401', '422', '500']),
    )
    const success = responses[String(status)]
    expect(Object.keys(success?.['content'] ?? {}).length).toBeGreaterThan(0)
    for (const code of [...errors, ...problemCodes(operation)]) {
      const problem = responses[String(exampleOf(code).status)]
      expect(problem?.['content']?.['application/problem+json']?.['examples']).toHaveProperty(code)
    }
    const parameters = (found['parameters'] ?? []) as unknown as { name: string; in: string }[]
    const named = (where: string) =>
      parameters.filter((one) => one.in === where).map(({ name }) => name)
    expect(named('path')).toEqual([...path.matchAll(/:(\w+)/g)].map(([, name]) => name))
    expect(named('header').includes('Idempotency-Key')).toBe(idempotent)
    expect(found['requestBody'] !== undefined).toBe(takes !== 'none')
    if (scope !== null) expect(String(found['description'])).toContain(scope)
  })

  it.each(operations.filter((operation) => routes[operation].takes === 'json'))(
    'has an example for %s that can be sent',
    (operation) => {
      const body = examples[operation]?.body
      expect(body).toBeDefined()
      expect(routes[operation].body.safeParse(body)).toMatchObject({ success: true })
    },
  )

  it('has answers that the schemas accept', () => {
    for (const operation of operations) {
      const response = examples[operation]?.response
      if (response !== undefined)
        expect(routes[operation].response.safeParse(response)).toMatchObject({ success: true })
    }
  })
})

describe('the pages', () => {
  it.each(['/docs', '/docs/errors'])(
    '%s need nothing but this server, and no script',
    async (path) => {
      const { status, headers, text } = await call('GET', path)
      expect(status).toBe(200)
      expect(headers.get('content-type')).toBe('text/html; charset=utf-8')
      expect(headers.get('content-security-policy')).toBe(
        `default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
      )
      const seen = elementsOf(text)
      expect(seen.map(({ name }) => name)).not.toEqual(
        expect.arrayContaining([expect.stringMatching(/^(script|style|form|img|iframe|base)$/)]),
      )
      const ids = seen.flatMap(({ attributes }) => attributes['id'] ?? [])
      for (const { name, attributes } of seen) {
        for (const attribute of Object.keys(attributes))
          expect(attribute).not.toMatch(/^on|^style$/)
        const target = attributes['href']
        if (target === undefined) continue
        if (target.startsWith('#')) expect(ids).toContain(target.slice(1))
        else expect(target, name).toMatch(/^\/(docs|openapi\.json)/)
      }
      expect((await call('GET', '/docs/style.css')).headers.get('content-type')).toBe(
        'text/css; charset=utf-8',
      )
    },
  )

  it('name every operation, with every field of what it takes', async () => {
    const { text } = await call('GET', '/docs')
    for (const operation of operations) expect(text).toContain(`id="${operation}"`)
    for (const field of ['timeZone', 'checkpointPolicy', 'fromStage', 'mapping.publishedAt'])
      expect(text).toContain(`<code>${field}</code>`)
  })

  it('explain every error where a problem’s type leads', async () => {
    const { text } = await call('GET', '/docs/errors')
    for (const code of Object.keys(errorTable)) {
      expect(text).toContain(`id="${code}"`)
      const { type } = exampleOf(code as keyof typeof errorTable)
      expect(type).toBe(`/docs/errors#${code}`)
    }
    assertNothingLeaks(text)
  })
})

interface Node {
  nodeName: string
  attrs?: { name: string; value: string }[]
  childNodes?: Node[]
}

function elementsOf(markup: string) {
  const found: { name: string; attributes: Record<string, string> }[] = []
  const visit = ({ nodeName, attrs = [], childNodes = [] }: Node): void => {
    const attributes = Object.fromEntries(attrs.map(({ name, value }) => [name, value]))
    found.push({ name: nodeName, attributes })
    childNodes.forEach(visit)
  }
  visit(parse(markup) as Node)
  return found
}
