import { describe, expect, it } from 'vitest'
import { errorOf, problemOf } from './api/problem.ts'
import { AlmanacError, errorTable, sentence, type ErrorCode } from './errors.ts'

const codes = Object.keys(errorTable) as ErrorCode[]
const said = (code: ErrorCode) => {
  const { status, title, remedy, sample } = errorTable[code]
  return { status, title, sentence: sentence(code, sample), remedy }
}

describe('the error table', () => {
  it('reads well', async () => {
    const lines = codes.map((code) => {
      const { status, title, sentence, remedy } = said(code)
      return `## ${code} (${status})\n\n${title}.\n\n> ${sentence}\n\n${remedy}\n`
    })
    await expect(lines.join('\n')).toMatchFileSnapshot('__snapshots__/errors.md')
  })

  it.each(codes)('%s says what happened and what to do, and nothing of the inside', (code) => {
    const { title, sentence, remedy } = said(code)
    for (const text of [title, sentence, remedy]) {
      expect(text).not.toMatch(/undefined|null|\[object|Error:|\bat \S+ \(.*:\d+\)|NaN/)
      expect(text.trim()).toBe(text)
      expect(text.length).toBeGreaterThan(3)
    }
    expect(title).not.toMatch(/[.!]$/)
    expect(remedy).toMatch(/[.!…]$/)
    expect(code).toMatch(/^[A-Z]+(_[A-Z]+)*$/)
  })

  it.each(codes)('%s survives the way over HTTP', (code) => {
    const error = new AlmanacError(code, errorTable[code].sample)
    const problem = JSON.parse(JSON.stringify(problemOf(error, 'req_1'))) as ReturnType<
      typeof problemOf
    >
    const back = errorOf(problem)
    expect(back.code).toBe(code)
    expect(back.message).toBe(error.message)
    expect(problem.status).toBeGreaterThanOrEqual(400)
  })
})
