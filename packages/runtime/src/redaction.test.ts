import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { lineRedactor, redactedText } from './redaction.ts'

const names = [
  'authorization', 'cookie', 'set-cookie', 'password', 'db_passwd', 'secret', 'secrets', 'token',
  'access-token', 'api_key', 'apikey', 'api-key', 'seal_keys', 'sealKey', 'connectionString',
] // prettier-ignore
const texts = [
  'postgres://user:hunter2hunter2@host/db',
  'Bearer abcdefghijkl',
  'basic dXNlcjpwYXNz',
  'alm_0123456789abcdefgh',
  'sk-0123456789abcdefgh',
  'whsec_0123456789abcdefgh',
]

describe('lineRedactor', () => {
  const redact = lineRedactor([])

  it('finds every secret field and text, alone in a line and beside others', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...names),
        fc.constantFrom(...texts),
        fc.string(),
        (name, text, other) => {
          const field = redact(JSON.stringify({ a: 1, [name]: 'value-of-it' }))
          expect(field).not.toContain('value-of-it')
          const line = JSON.stringify({ msg: text })
          expect(redact(line)).toBe(redactedText(line))
          expect(redact(line)).not.toBe(line)
          expect(JSON.parse(redact(JSON.stringify({ other, msg: text })))).toHaveProperty('msg')
        },
      ),
    )
  })

  it('leaves the line of a stage as it is', () => {
    const line = '{"level":"info","run":"run_01","stage":"export","durationMs":3,"msg":"stage"}'
    expect(redact(line)).toBe(line)
  })
})
