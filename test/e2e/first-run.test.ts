import { existsSync, readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { almanac, newDataDir, removeDataDir } from '../support/almanac-process.ts'

const dataDir = newDataDir()
afterAll(() => {
  removeDataDir(dataDir)
})

const once = (...args: string[]) =>
  almanac(['up', '--once', '--data', dataDir, '--port', '0', ...args])

/** The folder that a first run names on the screen. */
const reportFile = (stdout: string): string => /^\s+(\S+report\.html)$/m.exec(stdout)?.[1] ?? ''

describe('a first run', () => {
  it('makes the sample report, and says where it is', async () => {
    const { code, stdout } = await once()
    expect(code).toBe(0)
    const html = readFileSync(reportFile(stdout), 'utf8')
    expect(html).toContain('non_operational_output')
    expect(html).toContain('SAMPLE')
    for (const name of ['report.md', 'report.json', 'delivery.json'])
      expect(existsSync(reportFile(stdout).replace('report.html', name))).toBe(true)
  })

  it('makes nothing new the second time, says why, and ends in order', async () => {
    const { code, stdout } = await once()
    expect(code).toBe(0)
    expect(stdout).toMatch(
      /Nothing new was made: Period 2026-W40 was used by run_\w+; the next one can run from/,
    )
  })

  it('writes one JSON line a stage, without evidence or keys', async () => {
    const fresh = newDataDir()
    try {
      const { stderr } = await almanac(['up', '--once', '--data', fresh, '--port', '0'])
      const lines = stderr
        .split('\n')
        .filter((line) => line.startsWith('{'))
        .map((line) => JSON.parse(line) as Record<string, unknown>)
      const stages = lines.filter(({ msg }) => msg === 'stage')
      expect(stages.map(({ stage }) => stage)).toEqual(
        expect.arrayContaining([
          'retrieve',
          'cadence',
          'assemble',
          'execute',
          'validate',
          'refine',
          'evaluate',
          'export',
          'persist',
          'deliver',
        ]),
      )
      for (const line of stages)
        expect(line).toMatchObject({
          run: expect.stringMatching(/^run_/) as string,
          tenant: expect.stringMatching(/^ten_/) as string,
          durationMs: expect.any(Number) as number,
        })
      expect(stderr).not.toMatch(/Airworthiness|alm_[0-9a-z]{26}_/)
    } finally {
      removeDataDir(fresh)
    }
  })
})

describe('a start that cannot succeed says so in one sentence and an exit code', () => {
  it('port taken', async () => {
    const server = createServer()
    const port = await new Promise<number>((done) => {
      server.listen(0, '127.0.0.1', () => {
        done((server.address() as { port: number }).port)
      })
    })
    try {
      const { code, stderr } = await almanac([
        'up',
        '--once',
        '--data',
        dataDir,
        '--port',
        String(port),
      ])
      expect(code).toBe(1)
      expect(stderr).toContain(`Another program listens on port ${port}.`)
      expect(stderr).not.toMatch(/ at \S+ \(/)
    } finally {
      server.close()
    }
  })

  it('a data folder that cannot be used', async () => {
    const { code, stderr } = await almanac([
      'up',
      '--once',
      '--data',
      join(import.meta.filename, 'under-a-file'),
    ])
    expect(code).toBe(1)
    expect(stderr).toMatch(/The (data )?folder .* cannot be used: /)
  })

  it('no Postgres where DATABASE_URL points', async () => {
    const env = { DATABASE_URL: 'postgres://nobody:secret@127.0.0.1:9/almanac' }
    const { code, stderr } = await almanac(['up', '--once', '--data', dataDir], { env })
    expect(code).toBe(1)
    expect(stderr).toContain('Postgres at 127.0.0.1:9 cannot be reached')
    expect(stderr).not.toContain('secret')
  })

  it('a setting with a typing error', async () => {
    const { code, stderr } = await almanac(['up', '--once', '--data', dataDir], {
      env: { ALMANAC_PROT: '1' },
    })
    expect(code).toBe(1)
    expect(stderr).toMatch(/ALMANAC_PROT.*ALMANAC_PORT/s)
  })

  it('a command that does not exist', async () => {
    const { code, stderr } = await almanac(['frobnicate'])
    expect(code).toBe(2)
    expect(stderr).toContain('frobnicate')
  })
})
