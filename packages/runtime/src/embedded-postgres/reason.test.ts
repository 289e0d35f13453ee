import { describe, expect, it } from 'vitest'
import { reasonOf } from './reason.ts'

const systemError = (code: string) => Object.assign(new Error('a message with a /path'), { code })

describe('reasonOf', () => {
  it.each([
    [systemError('EROFS'), 'it is read-only'],
    [systemError('ENOSPC'), 'its disk is full'],
    [systemError('EWEIRD'), 'the system refuses it (EWEIRD)'],
    [new Error('no code'), 'the system refuses it (unknown error)'],
    [undefined, 'the system refuses it (unknown error)'],
    [
      'initdb: error: could not create directory "/x": Read-only file system\ninitdb: removing',
      'it is read-only',
    ],
    [
      '2026-11-21 11:18:29 UTC [1] FATAL:  could not write lock file: No space left on device\n',
      'its disk is full',
    ],
    [
      '2026-11-21 11:18:29 UTC [1] FATAL:  data directory "/d" has invalid permissions.\nLOG: shut down',
      'Postgres fails on it (data directory "/d" has invalid permissions)',
    ],
    [
      '/p/postgres: error while loading shared libraries: libicuuc.so.60: cannot open shared object file\n',
      'Postgres fails on it (error while loading shared libraries: libicuuc.so.60: cannot open shared object file)',
    ],
    ['Killed\n', 'Postgres fails on it (Killed)'],
    ['\n', 'Postgres did not start, and did not say why'],
  ])('puts %s in words', (problem, words) => {
    expect(reasonOf(problem)).toBe(words)
  })
})
