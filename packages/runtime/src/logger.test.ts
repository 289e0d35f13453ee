import { AlmanacError } from '@almanac/domain'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createLogger, type Logger } from './logger.ts'

/** A logger and the lines that it wrote, parsed. */
function recorded(secrets: string[] = []) {
  const written: string[] = []
  const log = createLogger(
    { logLevel: 'debug', secrets },
    { write: (line: string) => void written.push(line) },
  )
  return {
    log,
    text: () => written.join(''),
    lines: () => written.map((line): Record<string, unknown> => JSON.parse(line)),
  }
}

const logged = (write: (log: Logger) => void, secrets?: string[]) => {
  const { log, lines } = recorded(secrets)
  write(log)
  return lines()[0]
}

describe('createLogger', () => {
  it('writes one JSON line an event', () => {
    const line = logged((log) => log.info({ run: 'run_1', durationMs: 3 }, 'stage'))
    expect(line).toMatchObject({ level: 'info', run: 'run_1', durationMs: 3, msg: 'stage' })
    expect(line?.['time']).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/)
    expect(line).not.toHaveProperty('hostname')
  })

  it('leaves out what is below its level', () => {
    expect(logged((log) => log.trace('quiet'))).toBeUndefined()
  })

  it('hides secrets by field, at any depth and in child loggers', () => {
    const { log, lines } = recorded()
    log.child({ request: { headers: { authorization: 'Bearer abc', cookie: 'c' } } }).info({
      config: { apiKey: 'k', sealKeys: ['a', 'b'], nested: { password: 'p"q' } },
      tokens: 17,
      key: 'draft.1',
    })
    expect(lines()[0]).toMatchObject({
      request: { headers: { authorization: '[redacted]', cookie: '[redacted]' } },
      config: {
        apiKey: '[redacted]',
        sealKeys: '[redacted]',
        nested: { password: '[redacted]' },
      },
      tokens: 17,
      key: 'draft.1',
    })
  })

  it('hides secrets by their look, in messages and errors too', () => {
    const { log, text } = recorded()
    const url = 'postgres://almanac:hunter22@db:5432/almanac'
    log.warn({ err: new Error(`cannot reach ${url}`) }, `tried ${url} with Bearer abcdefgh1234`)
    log.info({ header: 'alm_0123456789abcdefghij', key: 'sk-proj-0123456789abcdefghij' })
    log.info({ url: 'redis://:hunter22@redis:6379' })
    expect(text()).not.toMatch(/hunter22|abcdefgh1234|0123456789/)
    expect(text()).toContain('postgres://almanac:[redacted]@db:5432/almanac')
  })

  it('hides every exact secret that it was told of, and stays valid JSON', () => {
    const secret = fc.string({ minLength: 12, unit: 'grapheme' })
    fc.assert(
      fc.property(secret, fc.string(), (value, around) => {
        fc.pre(!'[redacted]'.includes(value) && !around.includes(value))
        const { log, lines, text } = recorded([value])
        log.info({ field: `${around} ${value} ${around}`, deep: [{ value }] }, value)
        expect(lines()).toHaveLength(1)
        expect(JSON.parse(text()).msg).toBe('[redacted]')
        expect(lines()[0]?.['deep']).toEqual([{ value: '[redacted]' }])
      }),
    )
  })

  it('logs of a foreign error its type, code, cut message, frames and cause, but no fields of its own', () => {
    const cause = Object.assign(new Error('duplicate key'), {
      code: '23505',
      detail: 'Key (title)=(evidence text) already exists.',
    })
    const error = new TypeError('x'.repeat(1000), { cause })
    const line = JSON.stringify(logged((log) => log.error({ err: error }, 'failed')))
    expect(line).not.toContain('evidence text')
    expect(JSON.parse(line).err).toMatchObject({
      type: 'TypeError',
      message: `${'x'.repeat(299)}…`,
      stack: expect.arrayContaining([expect.stringMatching(/^at /)]),
      cause: { code: '23505', message: 'duplicate key' },
    })
  })

  it('logs of an error of the table its code and sentence', () => {
    const error = new AlmanacError('PORT_TAKEN', { port: 4242 })
    expect(logged((log) => log.error({ err: error }))?.['err']).toEqual({
      type: 'AlmanacError',
      code: 'PORT_TAKEN',
      message: 'Another program listens on port 4242.',
    })
  })
})
