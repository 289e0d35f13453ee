import { createOperations } from '@almanac/db'
import { readConfig } from '@almanac/runtime'
import { describe, expect, it, vi } from 'vitest'
import { testDatabase } from '../../../../test/support/postgres.ts'
import { createProgram } from '../program.ts'
import type { Screen } from '../screen.ts'
import { recordingScreen } from '../testing/recording-screen.ts'
import { limitStage, listStages, pauseStage, resumeStage } from './stage.ts'

const { db, url } = await testDatabase()
const config = readConfig({ DATABASE_URL: url, ALMANAC_LOG_LEVEL: 'silent' })
const { controls } = createOperations(db)

async function told(work: (screen: Screen) => Promise<void>) {
  const screen = recordingScreen()
  await work(screen)
  return screen.said.join('\n')
}

describe('almanac stage', () => {
  it('pauses, limits and resumes a stage, each without undoing the other, and says so', async () => {
    expect(await told((screen) => listStages(screen, config))).toMatch(/No stage was ever paused/)
    const why = { reason: 'the provider is slow' }
    expect(await told((screen) => pauseStage(screen, config, 'variant', why))).toBe(
      'variant is paused.',
    )
    await told((screen) => limitStage(screen, config, { name: 'variant', jobs: 4 }, why))
    expect(await controls.read()).toEqual([{ stage: 'variant', paused: true, concurrency: 4 }])
    expect(await told((screen) => resumeStage(screen, config, 'variant', {}))).toBe(
      'variant runs, with at most 4 jobs at once in each process.',
    )
    const listed = await told((screen) => listStages(screen, config))
    expect(listed).toMatch(/variant +running +4 at once +20\d\d-.*Z +operator/)
    await told((screen) => limitStage(screen, config, { name: 'variant', jobs: 0 }, why))
    expect(await controls.read()).toEqual([{ stage: 'variant', paused: false, concurrency: null }])
  })

  it('refuses a limit that is no number of jobs, as it is typed', async () => {
    const written = vi.spyOn(process.stderr, 'write').mockReturnValue(true)
    try {
      for (const jobs of ['many', '3.5'])
        await expect(
          createProgram().parseAsync(['stage', 'limit', 'validate', jobs], { from: 'user' }),
        ).rejects.toThrow(`'${jobs}' is invalid for argument 'N'. It must be a whole number.`)
      expect(written).toHaveBeenCalledWith(expect.stringContaining('whole number'))
    } finally {
      written.mockRestore()
    }
  })

  it('refuses what is no stage, with those that there are, and changes nothing', async () => {
    const before = await controls.read()
    await expect(pauseStage(recordingScreen(), config, 'excute', {})).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      message: expect.stringMatching(/must be one of retrieve, .*variant/) as string,
    })
    expect(await controls.read()).toEqual(before)
  })
})
